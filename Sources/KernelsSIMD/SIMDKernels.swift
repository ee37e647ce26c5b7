public import KernelInterface

/// The kernels of one instruction set. Three modules are made of these sources, one for each set;
/// callers name the module. Nothing but pointers and plain numbers passes its border, so that no
/// code compiled for one set can be linked into another.
///
/// They do what the scalar reference in `Kernels` does, in Float. Two properties hold besides:
///
/// - what is computed for a row (h, c, v, q, dx, initial gradients) has the same bits whatever
///   other rows are computed with it, and
/// - the weight gradients of a shard have the same bits whatever other shards are.
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
  typealias V = RowPack
  let geometry: LayerGeometry

  func run<D: DriveFormula, B: BodyFormula>(_: D.Type, _: B.Type) -> Int
  where D.V == RowPack, B.V == RowPack { Sequence<D, B>.savedCount(geometry) }
}

private struct ForwardWork: FormulaWork {
  typealias V = RowPack
  let call: ForwardCall<Float>

  func run<D: DriveFormula, B: BodyFormula>(_: D.Type, _: B.Type)
  where D.V == RowPack, B.V == RowPack { Sequence<D, B>.forward(call) }
}

private struct BackwardWork: FormulaWork {
  typealias V = RowPack
  let call: BackwardCall<Float>

  func run<D: DriveFormula, B: BodyFormula>(_: D.Type, _: B.Type)
  where D.V == RowPack, B.V == RowPack { Sequence<D, B>.backward(call) }
}
