// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The pieces of a gradient that are reduced one after the other. They run from its end to its
/// start, which is the order in which a backward pass completes them.
///
/// The boundaries depend only on the elements and the size of a bucket, so all ranks agree on them.
/// A thread that iterates over the buckets waits before each until its numbers are complete.
public final class Buckets: Sequence, @unchecked Sendable {
  /// The elements that are cut into buckets: a whole gradient or a part of it.
  public let elements: Range<Int>
  /// The elements of a full bucket.
  public let bucketCount: Int
  private let condition = NSCondition()
  /// The first complete element; all after it are complete too. Guarded by `condition`.
  private var final: Int

  /// - Parameters:
  ///   - elements: the elements of the gradient to reduce
  ///   - bucketBytes: the bytes of a bucket of Floats
  ///   - final: the first element that is complete already; all of them by default
  public init(_ elements: Range<Int>, bucketBytes: Int, final: Int = 0) {
    precondition(bucketBytes > 0, "a bucket of \(bucketBytes) bytes")
    self.elements = elements
    self.final = final
    bucketCount = Swift.max(bucketBytes / MemoryLayout<Float>.stride, 1)
  }

  /// The buckets of a whole gradient of `count` elements.
  public convenience init(_ count: Int, bucketBytes: Int, final: Int = 0) {
    self.init(0..<count, bucketBytes: bucketBytes, final: final)
  }

  /// Marks all elements from this one on as complete.
  public func complete(from element: Int) {
    condition.lock()
    final = Swift.min(final, element)
    condition.broadcast()
    condition.unlock()
  }

  /// Waits until all elements are complete.
  func waitForAll() { wait(for: elements.lowerBound) }

  private func wait(for element: Int) {
    condition.lock()
    while final > element { condition.wait() }
    condition.unlock()
  }

  /// The elements of the largest bucket.
  var largest: Int { Swift.min(bucketCount, elements.count) }

  public func makeIterator() -> AnyIterator<Range<Int>> {
    var end = elements.upperBound
    return AnyIterator { [self] in
      guard end > elements.lowerBound else { return nil }
      let start = Swift.max(end - bucketCount, elements.lowerBound)
      defer { end = start }
      wait(for: start)
      return start..<end
    }
  }
}
