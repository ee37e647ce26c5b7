// SPDX-License-Identifier: Apache-2.0

import KernelInterface

// A block of rows is [row, column] for either role.

extension ReferenceKernels {
  static func rowBlockCount(_ role: GradientRole, rows: Int, columns: Int) -> Int {
    rows * columns
  }

  static func keep(_ call: RowBlockCall<Scalar>) {
    let count = call.rows * call.columns
    (call.block + call.first * call.columns).update(from: call.source, count: count)
    guard let sums = call.sums else { return }
    addColumnSums(
      ColumnSumsCall(rows: call.rows, columns: call.columns, source: call.source, sums: sums))
  }

  static func addColumnSums(_ call: ColumnSumsCall<Scalar>) {
    for row in 0..<call.rows {
      for column in 0..<call.columns {
        call.sums[column] += call.source[row * call.columns + column]
      }
    }
  }

  static func addWeightGradient(_ call: WeightGradientCall<Scalar>) {
    let (W, K) = (call.width, call.depth)
    withUnsafeTemporaryAllocation(of: Scalar.self, capacity: K) { memory in
      let sums = memory.baseAddress!
      for chain in 0..<call.chains {
        for column in 0..<W {
          sums.initialize(repeating: 0, count: K)
          for row in call.start(ofChain: chain)..<call.start(ofChain: chain + 1) {
            let (delta, operand) = (call.deltas[row * W + column], call.operands + row * K)
            for k in 0..<K { sums[k] += delta * operand[k] }
          }
          let target = call.gradient + column * K
          for k in 0..<K { target[k] += sums[k] }
        }
      }
    }
  }

  static func addNarrowGradient(_ call: NarrowGradientCall<Scalar>) {
    let (W, K) = (call.width, call.depth)
    for k in 0...K {
      for column in 0..<W {
        var sum: Scalar = 0
        for row in 0..<call.rows {
          sum += (k < K ? call.operands[row * K + k] : 1) * call.deltas[row * W + column]
        }
        call.sums[k * W + column] += sum
      }
    }
  }
}
