// SPDX-License-Identifier: Apache-2.0

import Tensors

extension Tensor where Scalar: KernelScalar {
  /// Writes row `rows[i]` of a table [V, E], times that row's factor, to row i of this tensor.
  ///
  /// - Parameters:
  ///   - rows: the rows of the table to gather
  ///   - table: the table, [V, E]
  ///   - factors: one number for each row of the table, [V]; nil is 1
  public func gather(_ rows: [Int32], of table: Tensor, factors: Tensor?) {
    let E = checkedWidth(rows, table, factors)
    for (i, row) in rows.enumerated() {
      let (target, source) = (pointer + i * E, table.pointer + Int(row) * E)
      if let factors {
        let factor = factors.pointer[Int(row)]
        for j in 0..<E { target[j] = source[j] * factor }
      } else {
        target.update(from: source, count: E)
      }
    }
  }

  /// Adds row i of this tensor, times the table row's factor, to row `rows[i]` of a table [V, E].
  /// It does so for the i in `places`, in order.
  public func scatterAdd(
    _ rows: [Int32], at places: some Sequence<Int>, to table: Tensor, factors: Tensor?
  ) {
    let E = checkedWidth(rows, table, factors)
    for i in places {
      let row = Int(rows[i])
      let (target, source) = (table.pointer + row * E, pointer + i * E)
      let factor = factors?.pointer[row] ?? 1
      for j in 0..<E { target[j] += source[j] * factor }
    }
  }

  private func checkedWidth(_ rows: [Int32], _ table: Tensor, _ factors: Tensor?) -> Int {
    let (V, E) = (table.shape[0], table.shape[1])
    precondition(
      count == rows.count * E && (factors == nil || factors!.count == V),
      "\(rows.count) rows of a table \(table.shape) for \(shape)")
    precondition(
      rows.allSatisfy { $0 >= 0 && Int($0) < V }, "a row outside a table of \(V) rows")
    return E
  }
}
