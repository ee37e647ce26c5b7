import MPI
import Tensors

/// The sum of shard gradients in one fixed tree, so that its bits do not depend on the rank count.
///
/// Each rank first adds up the subtrees it owns whole. The buffer is then cut into as many slices
/// as there are ranks: rank r receives slice r of every subtree, walks the tree to the root, and
/// all gather the slices. Where every rank owns one aligned block of shards (rank count and V
/// powers of two), each rank sends and receives 2(n-1)/n of the buffer, the least that any
/// allreduce can do; other rank counts send a few subtrees more.
public final class FixedOrderReducer: GradientReducer {
  private let communicator: Communicator
  private let plan: ShardPlan
  /// The subtrees of each rank.
  private let subtrees: [[Range<Int>]]
  private var inbox = Tensor<Float>(shape: [0])

  public init(_ communicator: Communicator, plan: ShardPlan) {
    precondition(plan.ranks == communicator.size, "a plan for \(plan.ranks) ranks")
    self.communicator = communicator
    self.plan = plan
    subtrees = (0..<plan.ranks).map {
      SumTree.subtrees(within: plan.shards(of: $0), of: 0..<plan.shards)
    }
  }

  public func reduce(
    _ shards: ShardedBuffer<Float>, into sum: Tensor<Float>
  ) throws(MPIError) {
    let owned = plan.shards(of: communicator.rank)
    precondition(
      shards.shards == owned.count && sum.count == shards.layout.count,
      "\(shards.shards) buffers where the rank owns shards \(owned)")
    let buffers = (0..<owned.count).map { shards.flat.row($0) }
    for node in subtrees[communicator.rank] {
      SumTree.walk(node) { right, left in
        add(buffers[right - owned.lowerBound], to: buffers[left - owned.lowerBound])
      }
    }
    if communicator.size == 1 {
      sum.copy(from: buffers[0])
      return
    }
    try exchange(
      mine: subtrees[communicator.rank].map { buffers[$0.lowerBound - owned.lowerBound] },
      into: sum)
  }

  public func reduce(_ totals: [[Double]]) throws(MPIError) -> [Double] {
    // A few numbers: every rank gathers those of all shards and walks the whole tree itself.
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

  // MARK: Between ranks

  /// The elements of slice `rank`.
  private func slice(_ rank: Int, of count: Int) -> Range<Int> {
    count * rank / plan.ranks..<count * (rank + 1) / plan.ranks
  }

  private func exchange(mine: [Tensor<Float>], into sum: Tensor<Float>) throws(MPIError) {
    let (rank, size) = (communicator.rank, communicator.size)
    let own = slice(rank, of: sum.count)
    let nodes = subtrees.flatMap { $0 }
    if inbox.count < nodes.count * own.count { inbox = Tensor(shape: [nodes.count * own.count]) }
    var requests: [Request] = []
    var parts: [Int: Tensor<Float>] = [:]  // a subtree's sum by its first shard

    var position = 0
    for peer in 0..<size {
      for (index, node) in subtrees[peer].enumerated() {
        let part =
          peer == rank
          ? mine[index].elements(own)
          : inbox.elements(position * own.count..<(position + 1) * own.count)
        if peer != rank {
          requests.append(
            try communicator.ireceive(
              into: UnsafeMutableBufferPointer(start: part.pointer, count: part.count),
              from: peer, tag: index))
        }
        parts[node.lowerBound] = part
        position += 1
      }
    }
    for offset in 1..<size {
      let peer = (rank + offset) % size
      let theirs = slice(peer, of: sum.count)
      for (index, subtree) in mine.enumerated() {
        requests.append(
          try communicator.isend(
            UnsafeBufferPointer(
              start: subtree.pointer + theirs.lowerBound, count: theirs.count),
            to: peer, tag: index))
      }
    }
    try Request.waitAll(requests)

    SumTree.walk(0..<plan.shards, leaves: Set(nodes)) { right, left in
      add(parts[right]!, to: parts[left]!)
    }
    sum.elements(own).copy(from: parts[0]!)
    let slices = (0..<size).map { slice($0, of: sum.count) }
    try communicator.allgather(
      UnsafeMutableBufferPointer(start: sum.pointer, count: sum.count),
      counts: slices.map(\.count), offsets: slices.map(\.lowerBound))
  }

  /// left ← left + right
  private func add(_ right: Tensor<Float>, to left: Tensor<Float>) {
    let (source, target) = (right.pointer, left.pointer)
    for index in 0..<left.count { target[index] += source[index] }
  }
}
