// SPDX-License-Identifier: Apache-2.0

import KernelInterface

/// The scalar reference for any drive and body.
enum ReferenceKernels<Scalar: ScalarLanes>: LayerKernels {
  /// How many scalars `saved` needs.
  static func savedCount(_ geometry: LayerGeometry) -> Int {
    SavedCountWork<Scalar>(geometry: geometry).run(for: geometry)
  }

  static func forward(_ call: ForwardCall<Scalar>) {
    ForwardWork(call: call).run(for: call.geometry)
  }

  static func backward(_ call: BackwardCall<Scalar>) {
    BackwardWork(call: call).run(for: call.geometry)
  }
}

private struct SavedCountWork<V: ScalarLanes>: FormulaWork {
  let geometry: LayerGeometry

  func run<D: DriveFormula, B: BodyFormula>(_: D.Type, _: B.Type) -> Int
  where D.V == V, B.V == V {
    ReferenceSequence<D, B>.SavedLayout(geometry).count
  }
}

private struct ForwardWork<V: ScalarLanes>: FormulaWork {
  let call: ForwardCall<V>

  func run<D: DriveFormula, B: BodyFormula>(_: D.Type, _: B.Type) where D.V == V, B.V == V {
    ReferenceSequence<D, B>.forward(call)
  }
}

private struct BackwardWork<V: ScalarLanes>: FormulaWork {
  let call: BackwardCall<V>

  func run<D: DriveFormula, B: BodyFormula>(_: D.Type, _: B.Type) where D.V == V, B.V == V {
    ReferenceSequence<D, B>.backward(call)
  }
}
