// SPDX-License-Identifier: Apache-2.0

import KernelInterface
import RandomNumbers

// The building blocks of cells, one number after the other.

extension ReferenceKernels {
  /// A packed matrix is W [M, K] unchanged.
  static func packedCount(depth: Int, columns: Int) -> Int { depth * columns }

  static func pack(_ call: PackCall<Scalar>) {
    for column in 0..<call.columns {
      for k in 0..<call.depth {
        call.target[column * call.depth + k] =
          call.source[call.isTransposed ? k * call.columns + column : column * call.depth + k]
      }
    }
  }

  static func multiply(_ call: PackedProductCall<Scalar>) {
    for row in 0..<call.rows {
      for column in 0..<call.columns {
        let place = row * call.columns + column
        let start = call.isAdding ? call.y[place] : call.bias?[column] ?? 0
        call.y[place] =
          dot(call.x + row * call.depth, call.packed + column * call.depth, call.depth) + start
      }
    }
  }

  static func apply(_ call: PointwiseCall<Scalar>) {
    ApplyWork(call: call).run(for: call.kind)
  }

  static func fillDropout(_ call: DropoutCall<Scalar>) {
    var counter = call.counter
    for first in stride(from: 0, to: call.count, by: 4) {
      let words = Philox.words(counter: counter, key: call.key)
      for index in first..<min(first + 4, call.count) {
        call.factors[index] = words[index - first] < call.limit ? 0 : call.kept
      }
      counter[0] &+= 1
    }
  }

  static func drive(_ call: DriveCall<Scalar>) {
    StepWork(call: call).run(for: call.drive.kind)
  }

  static func driveBackward(_ call: DriveCall<Scalar>) {
    StepBackwardWork(call: call).run(for: call.drive.kind)
  }
}

extension ReferenceKernels {
  static func exponential(
    _ x: UnsafePointer<Scalar>, into y: UnsafeMutablePointer<Scalar>, count: Int
  ) {
    for index in 0..<count { y[index] = x[index].exponential }
  }

  static func hyperbolicTangent(
    _ x: UnsafePointer<Scalar>, into y: UnsafeMutablePointer<Scalar>, count: Int
  ) {
    for index in 0..<count { y[index] = x[index].hyperbolicTangent }
  }

  static func logistic(
    _ x: UnsafePointer<Scalar>, into y: UnsafeMutablePointer<Scalar>, count: Int
  ) {
    for index in 0..<count { y[index] = x[index].logistic }
  }
}

private struct ApplyWork<V: ScalarLanes>: PointwiseWork {
  let call: PointwiseCall<V>

  func run<F: PointwiseFormula>(_: F.Type) where F.V == V {
    UnitBlocks(rows: call.rows, columns: call.columns, call.inputs, call.outputs)
      .apply(PlainFormula<F>())
  }
}

private struct StepWork<V: ScalarLanes>: DriveWork {
  let call: DriveCall<V>

  func run<D: DriveFormula>(_: D.Type) where D.V == V {
    UnitBlocks(rows: call.rows, columns: call.columns, call.inputs, call.outputs)
      .apply(DriveStep<D>(call.drive, step: call.step))
  }
}

private struct StepBackwardWork<V: ScalarLanes>: DriveWork {
  let call: DriveCall<V>

  func run<D: DriveFormula>(_: D.Type) where D.V == V {
    UnitBlocks(rows: call.rows, columns: call.columns, call.inputs, call.outputs)
      .apply(DriveStepAdjoint<D>(call.drive, step: call.step))
  }
}

/// The units of a call.
private struct UnitBlocks<V: ScalarLanes> {
  let rows: Int
  let columns: Int
  let inputs: UnsafePointer<ColumnPointer<V>>
  let outputs: UnsafePointer<ColumnPointer<V>>

  init(
    rows: Int, columns: Int, _ inputs: UnsafePointer<ColumnPointer<V>>,
    _ outputs: UnsafePointer<ColumnPointer<V>>
  ) {
    self.rows = rows
    self.columns = columns
    self.inputs = inputs
    self.outputs = outputs
  }

  @inline(__always)
  func apply<F: UnitFormula>(_ formula: F) where F.V == V {
    for row in 0..<rows {
      for column in 0..<columns {
        let x = Eight(first: F.inputs, rest: V(0)) { inputs[$0][row][column] }
        let targets = Eight(first: F.outputs, rest: outputs[0][row]) { outputs[$0][row] }
        formula.apply(x).forEach(first: F.outputs, with: targets) { $1[column] = $0 }
      }
    }
  }
}

extension ColumnPointer {
  /// The first column of a row.
  subscript(row: Int) -> UnsafeMutablePointer<Scalar> { start + row * stride }
}
