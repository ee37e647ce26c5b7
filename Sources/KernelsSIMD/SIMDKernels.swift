// SPDX-License-Identifier: Apache-2.0

public import KernelInterface

/// The kernels of one instruction set. Three modules are built from these sources, one for each
/// instruction set, and callers name the module. Only pointers and plain numbers cross its
/// interface, so no code compiled for one instruction set can be linked into another module.
///
/// They compute the same functions as the scalar reference in `Kernels`, in Float. In addition:
///
/// - the results of a row (h, c, v, q, dx, initial gradients) have the same bits regardless of the
///   rows computed with it, and
/// - the weight gradients of a shard have the same bits regardless of the other shards.
public enum SIMDKernels: LayerKernels {
  /// "baseline", "avx2" or "avx512".
  public static var name: String {
    #if AVX512
      "avx512"
    #elseif AVX2
      "avx2"
    #else
      "baseline"
    #endif
  }

  /// How many floats `saved` needs.
  public static func savedCount(_ geometry: LayerGeometry) -> Int {
    SavedCountWork(geometry: geometry).run(for: geometry)
  }

  /// Runs a layer over a sequence.
  public static func forward(_ call: ForwardCall<Float>) {
    ForwardWork(call: call).run(for: call.geometry)
  }

  /// Runs a layer backward over a sequence.
  public static func backward(_ call: BackwardCall<Float>) {
    BackwardWork(call: call).run(for: call.geometry)
  }
}

private struct SavedCountWork: FormulaWork {
  typealias V = Vector
  let geometry: LayerGeometry

  func run<D: DriveFormula, B: BodyFormula>(_: D.Type, _: B.Type) -> Int
  where D.V == Vector, B.V == Vector { Sequence<D, B>.savedCount(geometry) }
}

private struct ForwardWork: FormulaWork {
  typealias V = Vector
  let call: ForwardCall<Float>

  func run<D: DriveFormula, B: BodyFormula>(_: D.Type, _: B.Type)
  where D.V == Vector, B.V == Vector { Sequence<D, B>.forward(call) }
}

private struct BackwardWork: FormulaWork {
  typealias V = Vector
  let call: BackwardCall<Float>

  func run<D: DriveFormula, B: BodyFormula>(_: D.Type, _: B.Type)
  where D.V == Vector, B.V == Vector { Sequence<D, B>.backward(call) }
}
