import MPI
import Tensors

/// Sums what the virtual shards of all ranks computed.
public protocol GradientReducer: AnyObject {
  /// The ranks that it sums over.
  var communicator: Communicator { get }

  /// Adds up the buffers of this rank's shards and of all others, and leaves the sum in `sum` on
  /// every rank. The buffers of the shards are used as scratch.
  ///
  /// `sum` may be the buffer of this rank's first shard, which spares the memory for another.
  ///
  /// - Parameter buckets: over the elements of `sum` or a part of them, alike on all ranks; each is
  ///   waited for
  func reduce(
    _ shards: ShardedBuffer<Float>, into sum: Tensor<Float>, by buckets: Buckets
  ) throws(MPIError)

  /// Adds up a few plain numbers per shard (losses, counts), member by member.
  ///
  /// - Parameter totals: one list per shard of this rank, all of the same length on all ranks
  func reduce(_ totals: [[Double]]) throws(MPIError) -> [Double]
}
