// SPDX-License-Identifier: Apache-2.0

import MPI
import Tensors

/// Sums the gradient of a parameter if a step touches only a few of its rows, and sends only these
/// rows.
///
/// The ranks first exchange which rows they touch, one bit per row. The rows that any rank touches
/// are then summed as a smaller gradient, in the same tree over the shards. A row that no rank
/// touches is zero in every shard and in the sum. The result is bit-identical to that of the whole
/// gradient.
///
/// A parameter has V rows of E numbers. U rows are sent, and V/8 bytes for the bits. If U is not
/// much smaller than V, the whole gradient is sent, which saves the copies.
final class RowReduction {
  private let reducer: any GradientReducer
  private let bucketBytes: Int
  private let always: Bool
  private var memory = Tensor<Float>(shape: [0])

  /// - Parameter always: whether rows are sent regardless of their number
  init(_ reducer: any GradientReducer, bucketBytes: Int, always: Bool) {
    self.reducer = reducer
    self.bucketBytes = bucketBytes
    self.always = always
  }

  /// Adds up the whole gradient into the buffer of the first shard.
  ///
  /// - Parameters:
  ///   - touched: the rows of this rank's shards
  ///   - others: the buckets of the elements after the touched parameter
  ///   - own: the buckets of the parameter
  func reduce(
    _ shards: ShardedBuffer<Float>, touched: TouchedRows, others: Buckets, own: Buckets
  ) throws(MPIError) {
    let sum = shards.flat.row(0)
    // The rows are known when the backward pass starts, so the ranks exchange them during it.
    let rows = try union(touched)
    try reducer.reduce(shards, into: sum, by: others)
    own.waitForAll()
    guard always || 4 * rows.count <= 3 * touched.entry.shape[0] else {
      return try reducer.reduce(shards, into: sum, by: own)
    }
    let packed = pack(rows, of: shards, touched)
    try reducer.reduce(
      packed, into: packed.flat.row(0), by: Buckets(packed.layout.count, bucketBytes: bucketBytes))
    copyRows(rows, width: touched.width, from: packed.flat.pointer, isPacked: true, to: sum.pointer)
  }

  /// The rows that any rank touches, the same list on all ranks.
  private func union(_ touched: TouchedRows) throws(MPIError) -> [Int] {
    var words = touched.words
    var span = words.mutableSpan
    try reducer.communicator.allreduce(&span, .bitwiseOr)
    return TouchedRows(touched.entry, words: words).rows
  }

  /// Copies the rows of every shard into one contiguous block.
  private func pack(
    _ rows: [Int], of shards: ShardedBuffer<Float>, _ touched: TouchedRows
  ) -> ShardedBuffer<Float> {
    var layout = ParameterLayout()
    layout.add(touched.entry.name, shape: [rows.count, touched.width])
    let count = shards.shards * layout.count
    if memory.count < count { memory = Tensor(shape: [count]) }
    let flat = memory.elements(0..<count).reshaped([shards.shards, layout.count])
    for shard in 0..<shards.shards {
      copyRows(
        rows, width: touched.width, from: shards.flat.row(shard).pointer, isPacked: false,
        to: flat.row(shard).pointer)
    }
    return ShardedBuffer(layout, over: flat)
  }

  /// Copies rows from a contiguous block to their places, or back.
  private func copyRows(
    _ rows: [Int], width: Int, from source: UnsafePointer<Float>, isPacked: Bool,
    to target: UnsafeMutablePointer<Float>
  ) {
    for (place, row) in rows.enumerated() {
      let (from, to) = isPacked ? (place, row) : (row, place)
      (target + to * width).update(from: source + from * width, count: width)
    }
  }
}
