// SPDX-License-Identifier: Apache-2.0

import MPI
import Tensors

/// Sums the gradients of the virtual shards of all ranks.
public protocol GradientReducer: AnyObject {
  /// The ranks that it sums over.
  var communicator: Communicator { get }

  /// Adds up the gradients of all shards of all ranks, and writes the result to `sum` on every
  /// rank. The buffers of the shards are overwritten.
  ///
  /// `sum` may be the buffer of this rank's first shard, which saves memory.
  ///
  /// - Parameters:
  ///   - shards: the gradients of this rank's shards
  ///   - sum: receives the sum
  ///   - buckets: the elements of `sum` to reduce, in pieces, the same on all ranks; the reducer
  ///     waits until each is complete
  func reduce(
    _ shards: ShardedBuffer<Float>, into sum: Tensor<Float>, by buckets: Buckets
  ) throws(MPIError)

  /// Adds up a few plain numbers per shard (losses, counts), member by member.
  ///
  /// - Parameter totals: one list per shard of this rank, all of the same length on all ranks
  func reduce(_ totals: [[Double]]) throws(MPIError) -> [Double]
}
