import Kernels
import Tensors

/// What the model should have said about each sequence of a batch.
public enum SequenceTargets: Sendable {
  /// One class per sequence, [N].
  case classes([Int32])
  /// K numbers per sequence, [N, K] row-major.
  case values([Float])
}

/// Some sequences of equal length, with their targets, on one rank.
public struct SequenceBatch<Scalar: KernelScalar> {
  /// The input, time first: [T, N, C].
  public var x: Tensor<Scalar>
  public var targets: SequenceTargets
  /// Shard s of this rank owns the rows `rowStarts[s] ..< rowStarts[s + 1]`.
  public var rowStarts: [Int]

  public init(x: Tensor<Scalar>, targets: SequenceTargets, rowStarts: [Int]) {
    precondition(x.shape.count == 3, "a batch is [T, N, C], not \(x.shape)")
    precondition(
      rowStarts.first == 0 && rowStarts.last == x.shape[1],
      "row starts \(rowStarts) do not cut \(x.shape[1]) rows")
    self.x = x
    self.targets = targets
    self.rowStarts = rowStarts
  }

  /// How many shards there are.
  public var shards: Int { rowStarts.count - 1 }
}
