import RandomNumbers

/// The order in which an epoch visits the sequences: a permutation of the global index, keyed by
/// seed and epoch, and cut into global batches.
public struct EpochOrder: Sendable {
  private let order: [Int]
  /// Sequences per batch, over all ranks.
  public let batchSize: Int

  /// - Parameter epoch: from 0
  public init(count: Int, batchSize: Int, seed: UInt64, epoch: Int) {
    var stream = RandomStream(seed: seed, purpose: .shuffle, step: epoch)
    order = stream.permutation(count)
    self.batchSize = batchSize
  }

  /// The order of the indices themselves, as evaluation uses it.
  public init(inOrder count: Int, batchSize: Int) {
    order = Array(0..<count)
    self.batchSize = batchSize
  }

  /// Batches per epoch; the last may be short.
  public var batches: Int { (order.count + batchSize - 1) / batchSize }

  /// The sequences of one global batch.
  public func batch(_ index: Int) -> ArraySlice<Int> {
    order[index * batchSize..<min((index + 1) * batchSize, order.count)]
  }
}
