// SPDX-License-Identifier: Apache-2.0

public import KernelInterface

extension SIMDKernels {
  /// Applies a pointwise formula.
  public static func apply(_ call: PointwiseCall<Float>) {
    ApplyWork(call: call).run(for: call.kind)
  }

  /// Advances a drive by one step.
  public static func drive(_ call: DriveCall<Float>) {
    StepWork(call: call).run(for: call.drive.kind)
  }

  /// The adjoint of `drive`.
  public static func driveBackward(_ call: DriveCall<Float>) {
    StepBackwardWork(call: call).run(for: call.drive.kind)
  }
}

private struct ApplyWork: PointwiseWork {
  typealias V = UnitBlocks.V
  let call: PointwiseCall<Float>

  func run<F: PointwiseFormula>(_: F.Type) where F.V == V {
    UnitBlocks(rows: call.rows, columns: call.columns, inputs: call.inputs, outputs: call.outputs)
      .apply(PlainFormula<F>())
  }
}

private struct StepWork: DriveWork {
  typealias V = UnitBlocks.V
  let call: DriveCall<Float>

  func run<D: DriveFormula>(_: D.Type) where D.V == V {
    UnitBlocks(rows: call.rows, columns: call.columns, inputs: call.inputs, outputs: call.outputs)
      .apply(DriveStep<D>(call.drive, step: call.step))
  }
}

private struct StepBackwardWork: DriveWork {
  typealias V = UnitBlocks.V
  let call: DriveCall<Float>

  func run<D: DriveFormula>(_: D.Type) where D.V == V {
    UnitBlocks(rows: call.rows, columns: call.columns, inputs: call.inputs, outputs: call.outputs)
      .apply(DriveStepAdjoint<D>(call.drive, step: call.step))
  }
}

/// The units of a call, which a formula processes a vector at a time.
private struct UnitBlocks {
  /// Two registers, because a single one would wait for the result of each operation.
  typealias V = Twin<Vector>
  let rows: Int
  let columns: Int
  let inputs: UnsafePointer<ColumnPointer<Float>>
  let outputs: UnsafePointer<ColumnPointer<Float>>

  @inline(__always)
  func apply<F: UnitFormula>(_ formula: F) where F.V == V {
    for row in 0..<rows {
      var (first, left) = (0, columns)
      let x = Eight(first: F.inputs, rest: inputs[0].start) {
        inputs[$0].start + row * inputs[$0].stride
      }
      let y = Eight(first: F.outputs, rest: outputs[0].start) {
        outputs[$0].start + row * outputs[$0].stride
      }
      while left >= 2 * Vector.width {
        formula.apply(
          x.map(first: F.inputs, rest: V(0)) { start in
            V(Vector(start + first), Vector(start + first + Vector.width))
          }
        ).forEach(first: F.outputs, with: y) { value, start in
          value.first.store(start + first)
          value.second.store(start + first + Vector.width)
        }
        first += 2 * Vector.width
        left -= 2 * Vector.width
      }
      if left > 0 {
        let (low, high) = (min(left, Vector.width), max(left - Vector.width, 0))
        formula.apply(
          x.map(first: F.inputs, rest: V(0)) { start in
            V(
              Vector.loading(start + first, low),
              high > 0 ? Vector.loading(start + first + Vector.width, high) : Vector(0))
          }
        ).forEach(first: F.outputs, with: y) { value, start in
          value.first.storing(low, start + first)
          if high > 0 { value.second.storing(high, start + first + Vector.width) }
        }
      }
    }
  }
}
