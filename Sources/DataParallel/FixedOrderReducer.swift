// SPDX-License-Identifier: Apache-2.0

import MPI
import Tensors

/// Sums the gradients of shards in one fixed tree. The bits of the sum depend neither on the number
/// of ranks nor on the size of the buckets.
///
/// The elements are processed in buckets. The numbers of a bucket then stay in the cache from the
/// first addition to the last message, and received data need little memory. In each bucket a rank
/// first adds up the subtrees that it owns entirely. The rest of the tree spans ranks, which
/// compute it in one of two ways:
///
/// - If every rank owns one aligned block of shards (V and the rank count are powers of two), by
///   recursive halving and doubling: each rank sends and receives 2(n-1)/n of the buffer, the
///   minimum of any allreduce. See R. Thakur, R. Rabenseifner and W. Gropp, "Optimization of
///   Collective Communication Operations in MPICH", 2005, doi:10.1177/1094342005051521. Ranks of
///   one host exchange through shared memory, inside the MPI library. Reading the neighbours'
///   buffers in place, from an MPI window, was tried: on 2 ranks the sum alone took 0.6 of the time
///   at 1 MB, the same at 16 MB and 0.9 at 100 MB, but whole steps of a small model became a tenth
///   slower, because such memory has no huge pages, and the backward pass works in it.
/// - Otherwise each rank receives its slice of every subtree, walks the tree to the root, and all
///   gather the slices. That sends a few subtrees more.
public final class FixedOrderReducer: GradientReducer {
  public let communicator: Communicator
  let plan: ShardPlan
  /// The subtrees of each rank.
  let subtrees: [[SumTree.Node]]
  private var scratch = Tensor<Float>(shape: [0])

  public init(_ communicator: Communicator, plan: ShardPlan) {
    precondition(plan.ranks == communicator.size, "a plan for \(plan.ranks) ranks")
    self.communicator = communicator
    self.plan = plan
    subtrees = (0..<plan.ranks).map {
      SumTree.subtrees(within: plan.shards(of: $0), of: 0..<plan.shards)
    }
  }

  public func reduce(
    _ shards: ShardedBuffer<Float>, into sum: Tensor<Float>, by buckets: Buckets
  ) throws(MPIError) {
    let owned = plan.shards(of: communicator.rank)
    precondition(
      shards.shards == owned.count && sum.count == shards.layout.count
        && buckets.elements.upperBound <= sum.count,
      "\(shards.shards) buffers where the rank owns shards \(owned)")
    let buffers = (0..<owned.count).map { shards.flat.pointer + $0 * sum.count }
    if communicator.size == 1 {
      for bucket in buckets {
        addOwnShards(of: buffers, in: bucket)
        (sum.pointer + bucket.lowerBound).update(
          from: buffers[0] + bucket.lowerBound, count: bucket.count)
      }
    } else if plan.isAligned {
      try reduceByHalving(buckets, of: buffers, into: sum.pointer)
    } else {
      for bucket in buckets {
        addOwnShards(of: buffers, in: bucket)
        try exchangeSubtrees(in: bucket, of: buffers, into: sum.pointer)
      }
    }
  }

  public func reduce(_ totals: [[Double]]) throws(MPIError) -> [Double] {
    // These are only a few numbers, so every rank gathers those of all shards and computes the
    // whole tree itself.
    let width = totals[0].count
    var all = [Double](repeating: 0, count: plan.shards * width)
    let owned = plan.shards(of: communicator.rank)
    all.replaceSubrange(
      owned.lowerBound * width..<owned.upperBound * width, with: totals.joined())
    let runs = (0..<plan.ranks).map { plan.shards(of: $0) }
    try all.withUnsafeMutableBufferPointer { (buffer) throws(MPIError) in
      try communicator.allgather(
        buffer, counts: runs.map { $0.count * width }, offsets: runs.map { $0.lowerBound * width })
    }
    SumTree.walk(0..<plan.shards) { right, left in
      for member in 0..<width { all[left * width + member] += all[right * width + member] }
    }
    return Array(all[0..<width])
  }

  // MARK: Shared by both algorithms

  /// Adds up the subtrees of this rank; the sum of each replaces its first shard.
  func addOwnShards(of buffers: [UnsafeMutablePointer<Float>], in bucket: Range<Int>) {
    let first = plan.shards(of: communicator.rank).lowerBound
    for node in subtrees[communicator.rank] {
      SumTree.walk(node) { right, left in
        let target = buffers[left - first] + bucket.lowerBound
        add(target, buffers[right - first] + bucket.lowerBound, into: target, count: bucket.count)
      }
    }
  }

  /// Memory for `count` elements, kept from call to call: at most a few buckets.
  func scratch(_ count: Int) -> UnsafeMutablePointer<Float> {
    if scratch.count < count { scratch = Tensor(shape: [count]) }
    return scratch.pointer
  }

  /// target ← left + right, where `target` may be one of the two.
  func add(
    _ left: UnsafePointer<Float>, _ right: UnsafePointer<Float>,
    into target: UnsafeMutablePointer<Float>, count: Int
  ) {
    typealias Lanes = SIMD8<Float>
    let vectors = count / Lanes.scalarCount * Lanes.scalarCount
    for index in stride(from: 0, to: vectors, by: Lanes.scalarCount) {
      let sum =
        UnsafeRawPointer(left + index).loadUnaligned(as: Lanes.self)
        + UnsafeRawPointer(right + index).loadUnaligned(as: Lanes.self)
      UnsafeMutableRawPointer(target + index).storeBytes(of: sum, as: Lanes.self)
    }
    for index in vectors..<count { target[index] = left[index] + right[index] }
  }
}
