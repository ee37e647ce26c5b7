// SPDX-License-Identifier: Apache-2.0

/// Memory that a product prefetches while it computes: `count` areas, `stride` floats apart.
///
/// Requests that come all at once fill the queue of outstanding loads, and the processor waits. In a
/// product there is room for one request for each k of a tile.
struct Prefetch {
  private let start: UnsafePointer<Float>
  /// Floats of an area.
  private let length: Int
  private let count: Int
  private let stride: Int

  /// Floats of a cache line.
  static var line: Int { 16 }

  @inline(__always)
  init(start: UnsafePointer<Float>, length: Int, count: Int, stride: Int) {
    (self.start, self.length, self.count, self.stride) = (start, length, count, stride)
  }

  /// What the `index`-th tile of the product prefetches, and the floats from one of its `steps` to
  /// the next. Nil if the tiles before it have prefetched everything.
  @inline(__always)
  func part(_ index: Int, steps: Int) -> (start: UnsafePointer<Float>, step: Int)? {
    let parts = (length + steps * Prefetch.line - 1) / (steps * Prefetch.line)
    let area = index / parts
    guard area < count else { return nil }
    let step = (length + parts * steps - 1) / (parts * steps)
    return (start + area * stride + index % parts * steps * step, step)
  }
}
