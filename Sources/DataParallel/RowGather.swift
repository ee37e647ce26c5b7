// SPDX-License-Identifier: Apache-2.0

import MPI
import Tensors

/// Gathers the rows of a global batch on every rank, from ranks that have only their own rows.
public struct RowGather {
  private let communicator: Communicator
  /// The rows of each rank.
  private let rows: [Range<Int>]

  /// - Parameters:
  ///   - communicator: the ranks
  ///   - plan: which rank has which rows
  ///   - count: the number of rows of the whole batch
  public init(_ communicator: Communicator, plan: ShardPlan, count: Int) {
    precondition(plan.ranks == communicator.size, "a plan for \(plan.ranks) ranks")
    self.communicator = communicator
    rows = (0..<plan.ranks).map { plan.rows(ofRank: $0, in: count) }
  }

  /// This rank's rows.
  public var own: Range<Int> { rows[communicator.rank] }

  /// Returns all rows on every rank, [count] and the shape of a row, from each rank's own rows.
  public func whole(_ mine: Tensor<Float>) throws(MPIError) -> Tensor<Float> {
    let row = mine.shape.dropFirst()
    let width = row.reduce(1, *)
    let all = Tensor<Float>(shape: [rows[rows.count - 1].upperBound] + row)
    all.rows(own).copy(from: mine)
    try communicator.allgather(
      UnsafeMutableBufferPointer(start: all.pointer, count: all.count),
      counts: rows.map { $0.count * width }, offsets: rows.map { $0.lowerBound * width })
    return all
  }
}
