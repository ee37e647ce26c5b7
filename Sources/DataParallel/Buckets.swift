import Foundation

/// The pieces of a gradient that are reduced one after the other, from its end to its start, in
/// which order a backward pass completes them.
///
/// Where pieces begin depends on the elements and the size of a bucket alone, so that all ranks
/// agree. A thread that walks them waits before each until its numbers are there.
public final class Buckets: Sequence, @unchecked Sendable {
  /// What is cut into buckets: a whole gradient or a part of it.
  public let elements: Range<Int>
  public let bucketCount: Int
  private let condition = NSCondition()
  /// The first element that is complete, with all behind it. Guarded by `condition`.
  private var final: Int

  /// - Parameters:
  ///   - elements: those of the gradient to reduce
  ///   - bucketBytes: those of a bucket, of Float
  ///   - final: the first element that is complete already; all of them by default
  public init(_ elements: Range<Int>, bucketBytes: Int, final: Int = 0) {
    precondition(bucketBytes > 0, "a bucket of \(bucketBytes) bytes")
    self.elements = elements
    self.final = final
    bucketCount = Swift.max(bucketBytes / MemoryLayout<Float>.stride, 1)
  }

  /// Those of a whole gradient of `count` elements.
  public convenience init(_ count: Int, bucketBytes: Int, final: Int = 0) {
    self.init(0..<count, bucketBytes: bucketBytes, final: final)
  }

  /// Notes that all elements from this one on are complete.
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
