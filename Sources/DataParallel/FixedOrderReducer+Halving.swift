// SPDX-License-Identifier: Apache-2.0

import MPI

extension ShardPlan {
  /// Whether every rank owns one aligned block of shards, so that the tree above the blocks is a
  /// perfect binary tree over ranks.
  public var isAligned: Bool {
    // A power of two divided by a power of two is a power of two.
    shards.nonzeroBitCount == 1 && ranks.nonzeroBitCount == 1 && ranks <= shards
  }
}

/// Recursive halving and doubling.
///
/// In step k of log2(n), rank r and rank r ^ 2^k hold the sums of two sibling nodes over the same
/// elements. Each keeps half of these elements, sends the other half, and adds what it receives. It
/// then holds half of the sum of their parent, and after the last step 1/n of the root. The same
/// steps in reverse order, without additions, give the whole root to all ranks. The first steps
/// move the most data and are between neighbours, which share a host if ranks are placed by host.
extension FixedOrderReducer {
  func reduceByHalving(
    _ buckets: Buckets, of buffers: [UnsafeMutablePointer<Float>],
    into sum: UnsafeMutablePointer<Float>
  ) throws(MPIError) {
    let inbox = scratch((buckets.largest + 1) / 2)
    // The last exchange of a bucket overlaps with adding up the next bucket's shards. Measurements
    // showed no gain from starting the next bucket before this one is done.
    var leaving: [Request] = []
    for bucket in buckets {
      addOwnShards(of: buffers, in: bucket)
      try halve(bucket, of: buffers[0], inbox: inbox, into: sum)
      try Request.waitAll(leaving)
      leaving = try double(bucket, sum)
    }
    try Request.waitAll(leaving)
  }

  /// log2(n).
  private var steps: Int { plan.ranks.trailingZeroBitCount }

  /// The other rank of step k.
  private func neighbour(_ step: Int) -> Int { communicator.rank ^ (1 << step) }

  /// The elements that this rank keeps and sends, of those that it held before step k.
  private func halves(
    _ range: Range<Int>, _ step: Int
  ) -> (kept: Range<Int>, given: Range<Int>) {
    let middle = range.lowerBound + (range.count + 1) / 2
    let (lower, upper) = (range.lowerBound..<middle, middle..<range.upperBound)
    return communicator.rank < neighbour(step) ? (lower, upper) : (upper, lower)
  }

  /// Takes all steps up the tree. The last one writes its result to `sum`.
  private func halve(
    _ bucket: Range<Int>, of buffer: UnsafeMutablePointer<Float>,
    inbox: UnsafeMutablePointer<Float>, into sum: UnsafeMutablePointer<Float>
  ) throws(MPIError) {
    var range = bucket
    for step in 0..<steps {
      let (kept, given) = halves(range, step)
      try Request.waitAll(
        try swap(
          step: step, tag: 2 * step, give: buffer + given.lowerBound, given.count, take: inbox,
          kept.count))
      range = kept
      let own = buffer + range.lowerBound
      let target = (step + 1 == steps ? sum : buffer) + range.lowerBound
      // The lower neighbour has the left child. The order matters only for the payload of a NaN.
      if communicator.rank < neighbour(step) {
        add(own, inbox, into: target, count: range.count)
      } else {
        add(inbox, own, into: target, count: range.count)
      }
    }
  }

  /// Distributes the root to all ranks.
  ///
  /// - Returns: the last exchange, which is still in progress
  private func double(
    _ bucket: Range<Int>, _ sum: UnsafeMutablePointer<Float>
  ) throws(MPIError) -> [Request] {
    var ranges = [bucket]  // what this rank held before each step, and at the end
    for step in 0..<steps { ranges.append(halves(ranges[step], step).kept) }
    var requests: [Request] = []
    for step in (0..<steps).reversed() {
      try Request.waitAll(requests)
      let (kept, given) = halves(ranges[step], step)
      requests = try swap(
        step: step, tag: 2 * step + 1, give: sum + kept.lowerBound, kept.count,
        take: sum + given.lowerBound, given.count)
    }
    return requests
  }

  /// Starts to send to the neighbour of a step and to receive from it. Both know the counts, so
  /// empty messages are not sent.
  private func swap(
    step: Int, tag: Int, give: UnsafePointer<Float>, _ given: Int,
    take: UnsafeMutablePointer<Float>, _ taken: Int
  ) throws(MPIError) -> [Request] {
    let peer = neighbour(step)
    var requests: [Request] = []
    if taken > 0 {
      requests.append(
        try communicator.ireceive(
          into: UnsafeMutableBufferPointer(start: take, count: taken), from: peer, tag: tag))
    }
    if given > 0 {
      requests.append(
        try communicator.isend(
          UnsafeBufferPointer(start: give, count: given), to: peer, tag: tag))
    }
    return requests
  }
}
