// SPDX-License-Identifier: Apache-2.0

import DataParallel
import MPI
import Tensors

/// Times the parts of a `ScalingModel`: messages and additions. All ranks work at once.
enum LinkBenchmark {
  private static let rounds = 5

  /// The link between ranks whose numbers differ by `distance`, a power of two; nil if there are no
  /// such ranks. Every rank calls this.
  static func speed(
    distance: Int, bytes: Int, on communicator: Communicator
  ) throws -> LinkSpeed? {
    guard distance < communicator.size else { return nil }
    let short = try seconds(count: 1, repeats: 50, distance: distance, on: communicator)
    let count = max(bytes / MemoryLayout<Float>.stride, 2)
    let long = try seconds(count: count, repeats: 8, distance: distance, on: communicator)
    let more = Double((count - 1) * MemoryLayout<Float>.stride)
    return LinkSpeed(latency: short, secondsPerByte: max(long - short, 0) / more)
  }

  /// The median seconds of an exchange of `count` numbers in the slowest pair.
  private static func seconds(
    count: Int, repeats: Int, distance: Int, on communicator: Communicator
  ) throws -> Double {
    let outgoing = [Float](repeating: 1, count: count)
    var incoming = [Float](repeating: 0, count: count)
    let peer = communicator.rank ^ distance
    func exchange() throws {
      guard peer < communicator.size else { return }
      var span = incoming.mutableSpan
      try communicator.exchange(outgoing.span, with: peer, into: &span)
    }
    try exchange()
    let times = try (0..<rounds).map { _ in
      try communicator.barrier()
      let took = try Timing.seconds(repeats: 1, warmup: 0) {
        for _ in 0..<repeats { try exchange() }
      }
      return try communicator.allreduce(took[0], .maximum) / Double(repeats)
    }
    return Timing.median(times)
  }

  /// The seconds per byte for adding received data, with the reducer's own addition.
  static func addSecondsPerByte(bytes: Int, on communicator: Communicator) throws -> Double {
    let count = max(bytes / MemoryLayout<Float>.stride, 1)
    var layout = ParameterLayout()
    layout.add("gradient", shape: [count])
    let two = ShardedBuffer<Float>(layout, shards: 2)
    let reducer = FixedOrderReducer(
      try communicator.split(color: communicator.rank), plan: ShardPlan(shards: 2, ranks: 1))
    let sum = two.flat.row(0)
    let repeats = 16
    try communicator.barrier()
    let times = try Timing.seconds(repeats: rounds, warmup: 1) {
      for _ in 0..<repeats {
        try reducer.reduce(two, into: sum, by: Buckets(count, bucketBytes: 4 * count))
      }
    }
    let slowest = try communicator.allreduce(Timing.median(times), .maximum)
    return slowest / Double(repeats * count * MemoryLayout<Float>.stride)
  }
}
