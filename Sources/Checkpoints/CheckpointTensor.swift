/// A tensor of a checkpoint: a copy of its numbers, its shape, and where it belongs.
public struct CheckpointTensor: Sendable {
  /// The path in the files, such as `parameters/rnn.weight_ih_l0`.
  public var path: String
  public var shape: [Int]
  /// Row-major.
  public var values: [Float]

  public init(path: String, shape: [Int], values: [Float]) {
    precondition(shape.reduce(1, *) == values.count, "\(values.count) values for shape \(shape)")
    self.path = path
    self.shape = shape
    self.values = values
  }

  /// The rows of a tensor with this first extent that shard file `shard` of `shards` holds.
  static func rows(_ extent: Int, shard: Int, of shards: Int) -> Range<Int> {
    extent * shard / shards..<extent * (shard + 1) / shards
  }
}
