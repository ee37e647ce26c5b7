// SPDX-License-Identifier: Apache-2.0

/// Memory that a product prefetches while it computes: first all of `first`, then all of `second`.
///
/// If all requests are made at once, the queue of outstanding loads is full and the processor
/// waits. So a product makes one request for each k of a tile.
struct Prefetch {
  let first: Areas
  let second: Areas

  /// The floats of a cache line.
  static var line: Int { 16 }

  /// `count` areas of `length` floats, `stride` floats apart.
  struct Areas {
    let start: UnsafePointer<Float>
    let length: Int
    let count: Int
    var stride = 0

    /// The number of tiles that prefetch one area.
    @inline(__always)
    func tiles(steps: Int) -> Int {
      (length + steps * Prefetch.line - 1) / (steps * Prefetch.line)
    }

    @inline(__always)
    func part(_ index: Int, steps: Int) -> (start: UnsafePointer<Float>, step: Int)? {
      let tiles = tiles(steps: steps)
      guard index < count * tiles else { return nil }
      let step = (length + tiles * steps - 1) / (tiles * steps)
      return (start + index / tiles * stride + index % tiles * steps * step, step)
    }
  }

  /// Where the `index`-th tile of the product begins to prefetch, and the floats from one of its
  /// `steps` to the next. Nil if the tiles before it prefetch everything.
  @inline(__always)
  func part(_ index: Int, steps: Int) -> (start: UnsafePointer<Float>, step: Int)? {
    first.part(index, steps: steps)
      ?? second.part(index - first.count * first.tiles(steps: steps), steps: steps)
  }
}
