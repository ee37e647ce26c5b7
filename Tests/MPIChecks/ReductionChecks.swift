// SPDX-License-Identifier: Apache-2.0

import DataParallel
import Foundation
import MPI
import Tensors
import Threads

/// Checks that the fixed-order reduction has the bits of one process that walks the whole tree.
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
        // The second call leaves the sum in the first shard.
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

/// Checks that the sum by MPI has the same bits on every rank, at sizes for which MPI chooses
/// different algorithms, and that the totals, from which decisions follow, have too.
func checkMPIReducer(_ checker: Checker, on group: Communicator) throws(MPIError) {
  let reducer = MPIReducer(group)
  for count in [1, 7, 1000, 3001, 70_001, 400_000] {
    var layout = ParameterLayout()
    layout.add("w", shape: [count])
    let shards = ShardedBuffer<Float>(layout, shards: 2)
    for shard in 0..<2 {
      let numbers = randomNumbers(count, seed: 9 * group.rank + shard)
      for index in 0..<count { shards[shard].flat[index] = numbers[index] }
    }
    let sum = shards.flat.row(0)
    try reducer.reduce(shards, into: sum, by: Buckets(count, bucketBytes: 1 << 20))
    let bits = sum.array.map { Int($0.bitPattern) }
    checker.expect("MPI sum of \(count)", bits, try fromRoot(bits, group))
  }
  for _ in 0..<20 {
    let totals = (0..<2).map { shard in
      randomNumbers(5, seed: 31 * group.rank + shard).map { Double($0) / 3 }
    }
    let bits = try reducer.reduce(totals).map { Int(truncatingIfNeeded: $0.bitPattern) }
    checker.expect("MPI totals", bits, try fromRoot(bits, group))
  }
}

/// The numbers of rank 0.
private func fromRoot(_ own: [Int], _ group: Communicator) throws(MPIError) -> [Int] {
  var numbers = own
  var span = numbers.mutableSpan
  try group.broadcast(&span)
  return numbers
}

/// Checks that a gradient sent as rows has the same sum as one that is sent whole, and that rows
/// are sent if they are few, or always.
func checkRowReduction(_ checker: Checker, on group: Communicator) throws {
  let (shards, vocabulary, width) = (8, 200, 3)
  guard group.size <= shards else { return }
  var layout = ParameterLayout()
  layout.add("embedding", shape: [vocabulary, width])
  layout.add("rest", shape: [1001])
  let entry = layout.entries[0]
  let plan = ShardPlan(shards: shards, ranks: group.size)
  let owned = plan.shards(of: group.rank)
  // Row 199 is of no shard. Shard s touches rows s, s + stride, ...: of the first stride all do.
  for (stride, always) in [(1, false), (1, true), (40, false), (300, false), (300, true)] {
    func rows(_ shard: Int) -> [Int] {
      Array(Swift.stride(from: shard, to: vocabulary - 1, by: stride)) + (stride == 40 ? [5] : [])
    }
    func fill(_ buffer: ShardedBuffer<Float>) {
      for (place, shard) in owned.enumerated() {
        let numbers = randomNumbers(layout.count, seed: 77 + shard)
        let gradients = buffer[place]
        for index in entry.range.upperBound..<layout.count {
          gradients.flat[index] = numbers[index]
        }
      }
      // A backward pass completes the rows last, and they may not be sent before.
      buffer.whenFinal(entry.range.upperBound)
      usleep(2000)
      for (place, shard) in owned.enumerated() {
        let numbers = randomNumbers(layout.count, seed: 77 + shard)
        let gradients = buffer[place]
        for row in rows(shard) {
          for column in 0..<width {
            gradients.flat[row * width + column] = numbers[row * width + column]
          }
        }
      }
    }
    for (overlaps, bucketBytes) in [(false, 1 << 20), (true, 1 << 20), (true, 100), (false, 100)] {
      func reduction() throws -> GradientReduction {
        GradientReduction(
          FixedOrderReducer(try group.duplicate(), plan: plan), layout: layout,
          shards: owned.count, bucketBytes: bucketBytes, alwaysSendsRows: always,
          worker: overlaps ? try BackgroundWorker("reduction") : nil)
      }
      let (whole, sparse) = (try reduction(), try reduction())
      let touched = TouchedRows(entry, rows: owned.flatMap(rows))
      for turn in 0..<2 {
        whole.begin()
        fill(whole.shards)
        try whole.finish()
        sparse.begin(touching: touched)
        fill(sparse.shards)
        // Rows that are not sent do not count, on a rank whose buffer is not that of the sum.
        let (last, isDamaged) = (owned.count - 1, turn == 1 && owned.count > 1)
        if isDamaged { sparse.shards[last].flat[199 * width] = 1 }
        try sparse.finish()
        let sentWhole = stride == 1 && !always
        let expected = whole.sum
        if sentWhole {
          expected[199 * width] = Float(try group.allreduce(isDamaged ? 1 : 0))
        }
        checker.expect(
          "rows of stride \(stride), overlap \(overlaps), buckets of \(bucketBytes)",
          sparse.sum.array.map(\.bitPattern), expected.array.map(\.bitPattern))
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
