import DataParallel
import MPI
import Tensors

/// Checks that the fixed-order reduction is, bit for bit, what one process gets that walks the
/// tree alone.
func checkReduction(_ checker: Checker, on group: Communicator) throws(MPIError) {
  for shards in [8, 12, 16] where shards >= group.size {
    // Fewer elements than ranks, odd numbers of them, one more than a bucket.
    for count in [1, 2, 3, 7, 8, 1000, 1025, 300_001] {
      var layout = ParameterLayout()
      layout.add("weight", shape: [count])
      let gradients = (0..<shards).map { randomNumbers(count, seed: 1000 * count + $0) }
      let expected = (0..<count).map { index in
        treeSum(0..<shards) { gradients[$0][index] }.bitPattern
      }
      let plan = ShardPlan(shards: shards, ranks: group.size)
      let owned = plan.shards(of: group.rank)
      for bucketBytes in [4 << 10, 1 << 20, 1 << 30] {
        let reducer = FixedOrderReducer(group, plan: plan)
        let buffer = ShardedBuffer<Float>(layout, shards: owned.count)
        let apart = Tensor<Float>(shape: [count])
        apart.fill(.nan)
        // The second call leaves the sum in the place of the first shard.
        for sum in [apart, buffer.flat.row(0)] {
          for (row, shard) in owned.enumerated() {
            buffer.flat.row(row).copy(from: gradients[shard])
          }
          try reducer.reduce(
            buffer, into: sum, by: Buckets(count, bucketBytes: bucketBytes))
          checker.expect(
            "sum of \(count) over \(shards) shards in buckets of \(bucketBytes)",
            sum.array.map(\.bitPattern), expected)
        }
      }
    }
  }
}

/// The tree written down once more: the left child is the largest power of two of shards that is
/// smaller than the node.
private func treeSum(_ node: Range<Int>, _ leaf: (Int) -> Float) -> Float {
  if node.count == 1 { return leaf(node.lowerBound) }
  var left = 1
  while 2 * left < node.count { left *= 2 }
  let middle = node.lowerBound + left
  return treeSum(node.lowerBound..<middle, leaf) + treeSum(middle..<node.upperBound, leaf)
}

/// Numbers of both signs and of sizes from 2^-8 to 2^8, so that the order of additions shows.
private func randomNumbers(_ count: Int, seed: Int) -> [Float] {
  var state = UInt64(seed)
  return (0..<count).map { _ in
    state &+= 0x9E37_79B9_7F4A_7C15  // splitmix64
    var bits = (state ^ state >> 30) &* 0xBF58_476D_1CE4_E5B9
    bits = (bits ^ bits >> 27) &* 0x94D0_49BB_1331_11EB
    let exponent = UInt32(119 + bits & 15)
    let sign = UInt32(bits >> 63)
    return Float(bitPattern: sign << 31 | exponent << 23 | UInt32(bits >> 8 & 0x7F_FFFF))
  }
}
