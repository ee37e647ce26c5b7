import Foundation

/// The pieces of a gradient that are reduced one after the other, from its end to its start, in
/// which order a backward pass completes them.
///
/// Where pieces begin depends on the length and the size of a bucket alone, so that all ranks
/// agree. A thread that walks them waits before each until its numbers are there.
public final class Buckets: Sequence, @unchecked Sendable {
  public let count: Int
  public let bucketCount: Int
  private let condition = NSCondition()
  /// The first element that is complete, with all behind it. Guarded by `condition`.
  private var final: Int

  /// - Parameters:
  ///   - count: the elements of the gradient
  ///   - bucketBytes: those of a bucket, of Float
  ///   - final: the first element that is complete already; all of them by default
  public init(_ count: Int, bucketBytes: Int, final: Int = 0) {
    precondition(bucketBytes > 0, "a bucket of \(bucketBytes) bytes")
    self.count = count
    self.final = final
    bucketCount = Swift.max(bucketBytes / MemoryLayout<Float>.stride, 1)
  }

  /// Notes that all elements from this one on are complete.
  public func complete(from element: Int) {
    condition.lock()
    final = Swift.min(final, element)
    condition.broadcast()
    condition.unlock()
  }

  private func wait(for element: Int) {
    condition.lock()
    while final > element { condition.wait() }
    condition.unlock()
  }

  /// The elements of the largest bucket.
  var largest: Int { Swift.min(bucketCount, count) }

  public func makeIterator() -> AnyIterator<Range<Int>> {
    var end = count
    return AnyIterator { [self] in
      guard end > 0 else { return nil }
      let start = Swift.max(end - bucketCount, 0)
      defer { end = start }
      wait(for: start)
      return start..<end
    }
  }
}
