// SPDX-License-Identifier: Apache-2.0

import MPI
import Tensors

/// Sums with `MPI_Allreduce`, which the MPI library tunes. The bits depend on the number of ranks.
public final class MPIReducer: GradientReducer {
  public let communicator: Communicator

  public init(_ communicator: Communicator) {
    self.communicator = communicator
  }

  public func reduce(
    _ shards: ShardedBuffer<Float>, into sum: Tensor<Float>, by buckets: Buckets
  ) throws(MPIError) {
    for bucket in buckets {
      let target = sum.pointer + bucket.lowerBound
      target.update(from: shards.flat.pointer + bucket.lowerBound, count: bucket.count)
      for shard in 1..<max(shards.shards, 1) {
        let source = shards.flat.pointer + shard * sum.count + bucket.lowerBound
        for index in 0..<bucket.count { target[index] += source[index] }
      }
      try sum.elements(bucket).withMutableSpan { (part) throws(MPIError) in
        try communicator.allreduce(&part, .sum)
      }
    }
  }

  public func reduce(_ totals: [[Double]]) throws(MPIError) -> [Double] {
    var sum = totals[0]
    for other in totals.dropFirst() {
      for member in sum.indices { sum[member] += other[member] }
    }
    var span = sum.mutableSpan
    try communicator.allreduce(&span, .sum)
    // MPI does not promise the same bits on every rank. All ranks need the same numbers, because
    // they decide whether the loss is finite, which epoch is best, and whether to stop early.
    try communicator.broadcast(&span)
    return sum
  }
}
