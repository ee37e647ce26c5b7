import KernelInterface

/// How work is cut so that it stays in the caches. Nothing here changes a bit of any row's
/// result; only `timeBlock` and `stripeRows` have a part in the order of the sums of weight
/// gradients, so they follow from the shape of the layer and of one shard.
enum Blocking {
  /// Rows that go forward through all steps together.
  static func forwardRows(_ shape: LayerGeometry) -> Int {
    let groups = max((shape.rows + 127) / 128, 1)
    let rows = (shape.rows + groups - 1) / groups
    // Whole register tiles, of six rows or of eight.
    return groups == 1 ? rows : (rows + 23) / 24 * 24
  }

  /// Rows that go backward through all steps together, if their shards allow it.
  static func backwardRows(_ shape: LayerGeometry) -> Int { 128 }

  /// The most rows of a shard whose share of a weight gradient is summed in one chain per block
  /// of time.
  static var stripeRows: Int { 64 }

  /// Steps whose gate gradients are kept before they go into the weight gradients.
  static func timeBlock(_ shape: LayerGeometry) -> Int { 16 }

  /// Whether the gradient of W_ih is summed with the gates, not the inputs, along the vectors.
  static func isNarrow(inputs: Int) -> Bool { inputs <= 16 }
}
