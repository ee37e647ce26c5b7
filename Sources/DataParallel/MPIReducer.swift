import MPI
import Tensors

/// The sum by `MPI_Allreduce`: the vendor's tuned path. Its bits depend on the rank count.
public final class MPIReducer: GradientReducer {
  private let communicator: Communicator

  public init(_ communicator: Communicator) {
    self.communicator = communicator
  }

  public func reduce(
    _ shards: ShardedBuffer<Float>, into sum: Tensor<Float>
  ) throws(MPIError) {
    sum.copy(from: shards.flat.row(0))
    let target = sum.pointer
    for shard in 1..<max(shards.shards, 1) {
      let source = shards.flat.row(shard).pointer
      for index in 0..<sum.count { target[index] += source[index] }
    }
    try sum.withMutableSpan { (sum) throws(MPIError) in
      try communicator.allreduce(&sum, .sum)
    }
  }

  public func reduce(_ totals: [[Double]]) throws(MPIError) -> [Double] {
    var sum = totals[0]
    for other in totals.dropFirst() {
      for member in sum.indices { sum[member] += other[member] }
    }
    var span = sum.mutableSpan
    try communicator.allreduce(&span, .sum)
    return sum
  }
}
