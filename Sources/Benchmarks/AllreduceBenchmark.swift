// SPDX-License-Identifier: Apache-2.0

import DataParallel
import MPI
import Tensors

/// The measurements of sums over all ranks, for one size.
public struct AllreduceResult: Sendable, Codable {
  /// The size of the sum on each rank.
  public let bytes: Int
  /// The number of ranks.
  public let ranks: Int
  /// The size of a bucket.
  public let bucketBytes: Int
  /// How often each method was timed.
  public let repeats: Int
  /// The median of the sum in fixed order.
  public let fixedSeconds: Double
  /// The median of one `MPI_Allreduce`.
  public let mpiSeconds: Double
  /// The median of one `MPI_Allreduce` per bucket.
  public let mpiBucketsSeconds: Double
  /// The shortest time of the sum in fixed order; more informative than the median if other
  /// programs use the cores at times.
  public let fixedBestSeconds: Double
  /// The shortest time of one `MPI_Allreduce`.
  public let mpiBestSeconds: Double
  /// The shortest time of one `MPI_Allreduce` per bucket.
  public let mpiBucketsBestSeconds: Double
  /// The bus bandwidth of the median, bytes / t · 2(n-1)/n: the least that a rank has to send and
  /// receive, per second.
  public let fixedGBps: Double
  /// The bus bandwidth of one `MPI_Allreduce`.
  public let mpiGBps: Double
  /// The bus bandwidth of one `MPI_Allreduce` per bucket.
  public let mpiBucketsGBps: Double

  private enum CodingKeys: String, CodingKey {
    case bytes, ranks, repeats
    case bucketBytes = "bucket_bytes"
    case fixedSeconds = "fixed_seconds"
    case mpiSeconds = "mpi_seconds"
    case mpiBucketsSeconds = "mpi_buckets_seconds"
    case fixedBestSeconds = "fixed_best_seconds"
    case mpiBestSeconds = "mpi_best_seconds"
    case mpiBucketsBestSeconds = "mpi_buckets_best_seconds"
    case fixedGBps = "fixed_gb_per_s"
    case mpiGBps = "mpi_gb_per_s"
    case mpiBucketsGBps = "mpi_buckets_gb_per_s"
  }
}

/// Times the sum of one gradient per rank: in fixed order, and by `MPI_Allreduce`.
///
/// The methods alternate within one run, because machines drift. Every call gets new numbers, and a
/// call ends when the slowest rank does. All methods leave the sum in the memory of the gradient.
public enum AllreduceBenchmark {
  private static let warmup = 2

  /// Times all methods on Floats. Every rank calls this with the same arguments.
  public static func run(
    bytes: Int, repeats: Int, bucketBytes: Int, on communicator: Communicator
  ) throws -> AllreduceResult {
    let count = max(bytes / MemoryLayout<Float>.stride, 1)
    let bucket = max(bucketBytes / MemoryLayout<Float>.stride, 1)
    var layout = ParameterLayout()
    layout.add("gradient", shape: [count])
    let mine = ShardedBuffer<Float>(layout, shards: 1)
    let reducer = FixedOrderReducer(
      communicator, plan: ShardPlan(shards: communicator.size, ranks: communicator.size))
    let buckets = Buckets(count, bucketBytes: bucketBytes)
    let ways: [() throws -> Void] = [
      { try reducer.reduce(mine, into: mine.flat.row(0), by: buckets) },
      { try allreduce(mine.flat, by: count, on: communicator) },
      { try allreduce(mine.flat, by: bucket, on: communicator) },
    ]
    var seconds = [[Double]](repeating: [], count: ways.count)
    for iteration in 0..<warmup + repeats {
      for turn in ways.indices {
        // The order changes, so that no method always follows the same other method.
        let way = (turn + iteration) % ways.count
        fill(mine.flat, rank: communicator.rank, call: iteration * ways.count + turn)
        try communicator.barrier()
        let took = try Timing.seconds(repeats: 1, warmup: 0, ways[way])[0]
        let slowest = try communicator.allreduce(took, .maximum)
        if iteration >= warmup { seconds[way].append(slowest) }
      }
    }
    let medians = seconds.map(Timing.median)
    let best = seconds.map { $0.min()! }
    let moved = 2 * Double(communicator.size - 1) / Double(communicator.size) * Double(count * 4)
    return AllreduceResult(
      bytes: count * MemoryLayout<Float>.stride, ranks: communicator.size,
      bucketBytes: bucketBytes, repeats: repeats, fixedSeconds: medians[0],
      mpiSeconds: medians[1], mpiBucketsSeconds: medians[2],
      fixedBestSeconds: best[0], mpiBestSeconds: best[1], mpiBucketsBestSeconds: best[2],
      fixedGBps: moved / medians[0] * 1e-9, mpiGBps: moved / medians[1] * 1e-9,
      mpiBucketsGBps: moved / medians[2] * 1e-9)
  }

  /// `MPI_Allreduce` in place, `count` elements at a time.
  private static func allreduce(
    _ numbers: Tensor<Float>, by count: Int, on communicator: Communicator
  ) throws(MPIError) {
    for start in stride(from: 0, to: numbers.count, by: count) {
      let part = numbers.elements(start..<min(start + count, numbers.count))
      try part.withMutableSpan { (part) throws(MPIError) in
        try communicator.allreduce(&part, .sum)
      }
    }
  }

  /// Numbers from 1 to 2 that differ between ranks and between calls in every place.
  private static func fill(_ numbers: Tensor<Float>, rank: Int, call: Int) {
    let period = min(4099, numbers.count)
    for index in 0..<period {
      let step = (index * 131 + rank * 7919 + call * 104_729) % 65_536
      numbers[index] = 1 + Float(step) / 65_536
    }
    // The filled part is copied after itself, which doubles it each time.
    var filled = period
    while filled < numbers.count {
      let more = min(filled, numbers.count - filled)
      numbers.elements(filled..<filled + more).copy(from: numbers.elements(0..<more))
      filled += more
    }
  }
}
