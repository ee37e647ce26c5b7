// SPDX-License-Identifier: Apache-2.0

import Kernels
import Tensors

/// Which states of [T·N, D·H], D directions of H columns, the read-out sees, and how.
enum ReadOutStates {
  /// Single states: the rows for each direction, which has its own columns.
  case single([[Int]], hidden: Int)
  /// Means over the rows of each sequence.
  case means([[Int]])

  /// The number of states.
  var count: Int {
    switch self {
    case .single(let rows, _): rows[0].count
    case .means(let rows): rows.count
    }
  }

  /// The row of each single state; for a mean, the last row.
  var rows: [Int] {
    switch self {
    case .single(let rows, _): rows[0]
    case .means(let rows): rows.map { $0.last! }
    }
  }

  /// Writes the states to h [count, D·H].
  func gather<Scalar: KernelScalar>(from top: Tensor<Scalar>, into h: Tensor<Scalar>) {
    let width = h.shape[1]
    switch self {
    case .single(let directions, let H):
      for (direction, rows) in directions.enumerated() {
        h.copy(
          H, columnsOf: top, RowSelection(rows, width: width, column: direction * H),
          to: RowSelection(Array(rows.indices), width: width, column: direction * H))
      }
    case .means(let sequences):
      h.fill(0)
      for (place, rows) in sequences.enumerated() {
        for row in rows {
          h.add(
            width, columnsOf: top, RowSelection([row], width: width),
            to: RowSelection([place], width: width))
        }
        scale(h.row(place), by: 1 / Scalar(rows.count))
      }
    }
  }

  /// Writes the gradients `dh` [count, D·H] of the states to their places in `dTop`. Scales `dh`.
  func scatter<Scalar: KernelScalar>(_ dh: Tensor<Scalar>, into dTop: Tensor<Scalar>) {
    let width = dh.shape[1]
    switch self {
    case .single(let directions, let H):
      for (direction, rows) in directions.enumerated() {
        dTop.copy(
          H, columnsOf: dh,
          RowSelection(Array(rows.indices), width: width, column: direction * H),
          to: RowSelection(rows, width: width, column: direction * H))
      }
    case .means(let sequences):
      for (place, rows) in sequences.enumerated() {
        scale(dh.row(place), by: 1 / Scalar(rows.count))
        dTop.copy(
          width, columnsOf: dh,
          RowSelection(Array(repeating: place, count: rows.count), width: width),
          to: RowSelection(rows, width: width))
      }
    }
  }

  private func scale<Scalar: KernelScalar>(_ row: Tensor<Scalar>, by factor: Scalar) {
    for index in 0..<row.count { row[index] *= factor }
  }
}
