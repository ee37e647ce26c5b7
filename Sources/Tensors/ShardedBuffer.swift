/// One flat buffer per virtual shard, one after the other: where shards leave their gradients
/// before these are summed in a fixed order.
public struct ShardedBuffer<Scalar: BitwiseCopyable> {
  public let layout: ParameterLayout
  public let shards: Int
  public let flat: Tensor<Scalar>  // [shards, P]
  /// Called with an element from which on the gradients of all shards are complete: they can be
  /// summed while those before it are still computed. Backward passes go from the end of the
  /// layout to its start, and need not call it.
  public var whenFinal: (_ from: Int) -> Void = { _ in }

  /// Zeros for `shards` shards.
  public init(_ layout: ParameterLayout, shards: Int) {
    self.layout = layout
    self.shards = shards
    flat = Tensor(shape: [shards, layout.count])
  }

  /// The buffer of one shard.
  public subscript(shard: Int) -> ParameterBuffer<Scalar> {
    ParameterBuffer(layout, over: flat.row(shard))
  }
}
