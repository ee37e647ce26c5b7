// SPDX-License-Identifier: Apache-2.0

/// Memory that a product prefetches while it computes: `count` areas, `stride` floats apart.
///
/// If all requests are made at once, the queue of outstanding loads is full and the processor
/// waits. So a product makes one request for each k of a tile.
struct Prefetch {
  private let start: UnsafePointer<Float>
  /// The floats of an area.
  private let length: Int
  private let count: Int
  private let stride: Int

  /// The floats of a cache line.
  static var line: Int { 16 }

  @inline(__always)
  init(start: UnsafePointer<Float>, length: Int, count: Int, stride: Int) {
    (self.start, self.length, self.count, self.stride) = (start, length, count, stride)
  }

  /// Where the `index`-th tile of the product begins to prefetch, and the floats from one of its
  /// `steps` to the next. Nil if the tiles before it prefetch everything.
  @inline(__always)
  func part(_ index: Int, steps: Int) -> (start: UnsafePointer<Float>, step: Int)? {
    let parts = (length + steps * Prefetch.line - 1) / (steps * Prefetch.line)
    let area = index / parts
    guard area < count else { return nil }
    let step = (length + parts * steps - 1) / (parts * steps)
    return (start + area * stride + index % parts * steps * step, step)
  }
}
