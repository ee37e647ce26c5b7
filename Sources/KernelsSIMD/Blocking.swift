// SPDX-License-Identifier: Apache-2.0

import KernelInterface

/// How work is split so that its data stays in the caches.
///
/// The sizes of groups of rows were measured for second-level caches of one and two megabytes. They
/// are not read from the processor: with 512 KB, weights of 590 KB treated as too large for the
/// cache took a sixth longer, and no other size was faster. No bit of a row's result depends on the
/// sizes. Only `timeBlock` and `stripeRows` affect the order of the sums of weight gradients, so
/// they depend only on the shape of the layer and of one shard.
enum Blocking {
  /// The number of rows that go forward through all steps together.
  ///
  /// If W_hh fits in the second-level cache, groups of few rows keep it there. Larger weights are
  /// read from memory in every step, so a group has as many rows as possible.
  static func forwardRows(_ shape: LayerGeometry) -> Int {
    let most = fitsCache(shape.hidden, shape) ? 48 : 240
    let groups = max((shape.rows + most - 1) / most, 1)
    let rows = (shape.rows + groups - 1) / groups
    // Whole register tiles of six or eight rows.
    return groups == 1 ? rows : (rows + 23) / 24 * 24
  }

  /// The number of steps whose products with W_ih are computed together: several if a step has few
  /// rows and W_ih does not fit in the second-level cache. It is a power of two, at most `most`.
  static func inputSteps(_ shape: LayerGeometry, rows: Int, most: Int = .max) -> Int {
    if fitsCache(shape.inputs, shape) { return 1 }
    var steps = 1
    while steps * 2 <= min(shape.steps, most), steps * 2 * rows <= 160 { steps *= 2 }
    return steps
  }

  /// The number of rows that go backward through all steps together, if their shards allow it.
  static func backwardRows(_ shape: LayerGeometry) -> Int {
    if !fitsCache(shape.hidden, shape) { return 64 }
    // The gate gradients of a block of time take about half a megabyte.
    return min(max((1 << 13) / shape.gateWidth, 16), 64)
  }

  /// The largest number of vectors in a column panel of dh = da W_hh.
  ///
  /// A panel whose tiles run once takes 4 to 10 % less time (AVX2, H=128 and 256). A wider one
  /// reads da less often, which pays off if W_hh does not stay in the second-level cache.
  static func hiddenGradientVectors(_ shape: LayerGeometry, rows: Int) -> Int {
    rows <= Registers.fewRows || !fitsCache(shape.hidden, shape)
      ? Registers.mostVectors : Registers.onePassVectors
  }

  /// The largest number of rows of a shard whose part of a weight gradient is summed as one chain
  /// in each block of time.
  static var stripeRows: Int { 32 }

  /// The length of a block of time in steps, a power of two: the gate gradients of these steps are
  /// kept, and are then added to the weight gradients together.
  ///
  /// Each block of time reads and writes all weight gradients of a shard once, which pays off from
  /// about a hundred rows on, all steps together.
  static func timeBlock(rows: Int) -> Int {
    var steps = 8
    while steps < 64, steps * 2 * rows <= 128 { steps *= 2 }
    return steps
  }

  /// Whether the lanes of vectors hold gates instead of inputs when the gradient of W_ih is summed.
  static func isNarrow(inputs: Int) -> Bool { inputs <= 16 }

  /// Whether `saved` is so large that it would displace everything else from the caches.
  static func streams(savedCount: Int) -> Bool { savedCount > 1 << 20 }

  /// Whether y is so large, more than 16 MB, that little of it is left in the caches when the whole
  /// sequence has been computed. If writes to it bypass them, a step of a tanh cell takes 2 to 3 %
  /// less time (AVX2). If `saved` bypasses them too, some runs take 4 to 12 % longer, so y does not.
  static func streamsHidden(_ shape: LayerGeometry, savedCount: Int) -> Bool {
    savedCount == 0 && shape.steps * shape.rows * shape.hidden > 1 << 22
  }

  /// Whether weights of [G·H, columns] stay in the second-level cache.
  private static func fitsCache(_ columns: Int, _ shape: LayerGeometry) -> Bool {
    shape.gateWidth * columns * MemoryLayout<Float>.size <= 1 << 20
  }
}
