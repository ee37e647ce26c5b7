import KernelInterface

/// How work is cut so that it stays in the caches.
///
/// The sizes are measured, for a second-level cache of one or two megabytes. Nothing here changes
/// a bit of any row's result; only `timeBlock` and `stripeRows` have a part in the order of the
/// sums of weight gradients, so they follow from the shape of the layer and of one shard.
enum Blocking {
  /// Rows that go forward through all steps together.
  ///
  /// While W_hh fits the second-level cache, few rows leave it there; larger weights come from
  /// memory in every step, for as many rows as possible.
  static func forwardRows(_ shape: LayerGeometry) -> Int {
    let most = weightBytes(shape) <= 1 << 20 ? 48 : 240
    let groups = max((shape.rows + most - 1) / most, 1)
    let rows = (shape.rows + groups - 1) / groups
    // Whole register tiles, of six rows or of eight.
    return groups == 1 ? rows : (rows + 23) / 24 * 24
  }

  /// Rows that go backward through all steps together, if their shards allow it.
  static func backwardRows(_ shape: LayerGeometry) -> Int {
    if weightBytes(shape) > 1 << 20 { return 64 }
    // The gate gradients of a block of time take half a megabyte or so.
    return min(max((1 << 13) / shape.gateWidth, 16), 64)
  }

  /// The most rows of a shard whose share of a weight gradient is summed in one chain per block
  /// of time.
  static var stripeRows: Int { 32 }

  /// Steps whose gate gradients are kept before a stripe of `stripeRows` rows adds them to the
  /// weight gradients: a power of two.
  ///
  /// Each block of time reads and writes all weight gradients of a shard once, which a hundred
  /// rows are worth.
  static func timeBlock(rows: Int) -> Int {
    var steps = 8
    while steps < 64, steps * 2 * rows <= 128 { steps *= 2 }
    return steps
  }

  /// Whether the gradient of W_ih is summed with the gates, not the inputs, along the vectors.
  static func isNarrow(inputs: Int) -> Bool { inputs <= 16 }

  /// Whether `saved` is so large that it would only flush the caches.
  static func streams(savedCount: Int) -> Bool { savedCount > 1 << 20 }

  private static func weightBytes(_ shape: LayerGeometry) -> Int {
    shape.gateWidth * shape.hidden * MemoryLayout<Float>.size
  }
}
