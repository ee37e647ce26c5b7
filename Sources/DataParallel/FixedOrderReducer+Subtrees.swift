// SPDX-License-Identifier: Apache-2.0

import MPI

/// The exchange of subtrees, for any rank count.
///
/// A bucket is cut into as many slices as there are ranks. Rank r receives slice r of every
/// subtree that another rank has summed, walks the tree from there to the root, and all gather the
/// slices.
extension FixedOrderReducer {
  /// The elements of a rank's slice.
  private func slice(_ rank: Int, of bucket: Range<Int>) -> Range<Int> {
    bucket.lowerBound + bucket.count * rank / plan.ranks..<bucket.lowerBound + bucket.count
      * (rank + 1) / plan.ranks
  }

  func exchangeSubtrees(
    in bucket: Range<Int>, of buffers: [UnsafeMutablePointer<Float>],
    into sum: UnsafeMutablePointer<Float>
  ) throws(MPIError) {
    let (rank, size) = (communicator.rank, communicator.size)
    let first = plan.shards(of: rank).lowerBound
    let own = slice(rank, of: bucket)
    let nodes = subtrees.flatMap { $0 }
    let inbox = scratch(nodes.count * own.count)
    var requests: [Request] = []
    var parts: [Int: UnsafeMutablePointer<Float>] = [:]  // a subtree's sum by its first shard

    for peer in 0..<size {
      for (index, node) in subtrees[peer].enumerated() {
        if peer == rank {
          parts[node.lowerBound] = buffers[node.lowerBound - first] + own.lowerBound
          continue
        }
        let part = inbox + parts.count * own.count
        parts[node.lowerBound] = part
        requests.append(
          try communicator.ireceive(
            into: UnsafeMutableBufferPointer(start: part, count: own.count), from: peer, tag: index)
        )
      }
    }
    for offset in 1..<size {
      let peer = (rank + offset) % size
      let theirs = slice(peer, of: bucket)
      for (index, node) in subtrees[rank].enumerated() {
        requests.append(
          try communicator.isend(
            UnsafeBufferPointer(
              start: buffers[node.lowerBound - first] + theirs.lowerBound, count: theirs.count),
            to: peer, tag: index))
      }
    }
    try Request.waitAll(requests)

    SumTree.walk(0..<plan.shards, leaves: Set(nodes)) { right, left in
      add(parts[left]!, parts[right]!, into: parts[left]!, count: own.count)
    }
    (sum + own.lowerBound).update(from: parts[0]!, count: own.count)
    let slices = (0..<size).map { slice($0, of: bucket) }
    try communicator.allgather(
      UnsafeMutableBufferPointer(start: sum + bucket.lowerBound, count: bucket.count),
      counts: slices.map(\.count), offsets: slices.map { $0.lowerBound - bucket.lowerBound })
  }
}
