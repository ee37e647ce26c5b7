// SPDX-License-Identifier: Apache-2.0

import KernelInterface

/// Elementwise formulas on the units of each row, as kernels of the backend.
public enum Pointwise {
  /// The number of input blocks and the number of output blocks of a formula.
  public static func blocks(of kind: PointwiseKind) -> (inputs: Int, outputs: Int) {
    CountWork().run(for: kind)
  }

  /// Applies a formula to H columns of matrices with the same rows. `PointwiseKind` gives the order
  /// of the blocks. An output may share the memory of an input.
  public static func apply<Scalar: KernelScalar>(
    _ kind: PointwiseKind, columns: Int, inputs: [ColumnBlock<Scalar>],
    outputs: [ColumnBlock<Scalar>]
  ) {
    let (taken, given) = blocks(of: kind)
    precondition(
      inputs.count == taken && outputs.count == given,
      "\(kind) takes \(taken) blocks and gives \(given), not \(inputs.count) and \(outputs.count)")
    let rows = outputs[0].rows
    withPointers(inputs, outputs, rows: rows, columns: columns) { inputs, outputs in
      Scalar.kernels(on: .current).apply(
        PointwiseCall(kind, rows: rows, columns: columns, inputs: inputs, outputs: outputs))
    }
  }
}

/// Calls `body` with pointers to the blocks, which it must not keep.
func withPointers<Scalar: KernelScalar>(
  _ inputs: [ColumnBlock<Scalar>], _ outputs: [ColumnBlock<Scalar>], rows: Int, columns: Int,
  _ body: (UnsafePointer<ColumnPointer<Scalar>>, UnsafePointer<ColumnPointer<Scalar>>) -> Void
) {
  // On the stack, because this runs in every time step.
  withUnsafeTemporaryAllocation(
    of: ColumnPointer<Scalar>.self, capacity: inputs.count + outputs.count
  ) { pointers in
    let start = pointers.baseAddress!
    for (index, block) in inputs.enumerated() {
      (start + index).initialize(to: block.pointer(rows: rows, columns: columns))
    }
    for (index, block) in outputs.enumerated() {
      (start + inputs.count + index).initialize(to: block.pointer(rows: rows, columns: columns))
    }
    body(UnsafePointer(start), UnsafePointer(start + inputs.count))
  }
}

private struct CountWork: PointwiseWork {
  typealias V = Double

  func run<F: PointwiseFormula>(_: F.Type) -> (inputs: Int, outputs: Int) where F.V == Double {
    (F.inputs, F.outputs)
  }
}
