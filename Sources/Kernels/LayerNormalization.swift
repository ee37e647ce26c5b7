import KernelInterface
import Tensors

/// Layer normalisation (Ba et al., 2016) of D columns of each row, with the biased variance.
///
///     n = (z - mean z) / sqrt(var z + ε),  y = n · gain + shift,  ε = 1e-5
public enum LayerNormalization {
  static var epsilon: Double { 1e-5 }

  /// - Parameters:
  ///   - z: D columns
  ///   - gain: [D]
  ///   - shift: [D]
  ///   - y: D columns, overwritten; may be the memory of z
  ///   - normalised: receives n in D columns, for `backward`
  ///   - inverseDeviation: receives 1 / sqrt(var z + ε) in one column, for `backward`
  public static func forward<Scalar: KernelScalar>(
    _ z: ColumnBlock<Scalar>, gain: Tensor<Scalar>, shift: Tensor<Scalar>,
    into y: ColumnBlock<Scalar>, normalised: ColumnBlock<Scalar>,
    inverseDeviation: ColumnBlock<Scalar>
  ) {
    let (rows, D) = (z.rows, gain.count)
    precondition(D > 0 && shift.count == D, "gain \(gain.shape) and shift \(shift.shape)")
    Scalar.kernels(on: .current).normalize(
      NormalizationCall(
        rows: rows, columns: D, epsilon: Scalar(epsilon), gain: UnsafePointer(gain.pointer),
        shift: UnsafePointer(shift.pointer), z: z.pointer(rows: rows, columns: D),
        y: y.pointer(rows: rows, columns: D),
        normalised: normalised.pointer(rows: rows, columns: D),
        inverseDeviation: inverseDeviation.pointer(rows: rows, columns: 1)))
  }

  /// The adjoint of `forward`.
  ///
  /// - Parameters:
  ///   - dy: D columns
  ///   - normalised: what `forward` left
  ///   - inverseDeviation: likewise
  ///   - gain: [D]
  ///   - dz: D columns, overwritten; may be the memory of dy
  ///   - dGain: D columns, to which each row adds its dy · n
  ///   - dShift: D columns, to which each row adds its dy
  public static func backward<Scalar: KernelScalar>(
    _ dy: ColumnBlock<Scalar>, normalised: ColumnBlock<Scalar>,
    inverseDeviation: ColumnBlock<Scalar>, gain: Tensor<Scalar>, into dz: ColumnBlock<Scalar>,
    dGain: ColumnBlock<Scalar>, dShift: ColumnBlock<Scalar>
  ) {
    let (rows, D) = (dy.rows, gain.count)
    precondition(D > 0, "a gain of \(gain.shape)")
    Scalar.kernels(on: .current).normalizeBackward(
      NormalizationBackwardCall(
        rows: rows, columns: D, gain: UnsafePointer(gain.pointer),
        dy: dy.pointer(rows: rows, columns: D),
        normalised: normalised.pointer(rows: rows, columns: D),
        inverseDeviation: inverseDeviation.pointer(rows: rows, columns: 1),
        dz: dz.pointer(rows: rows, columns: D), dGain: dGain.pointer(rows: rows, columns: D),
        dShift: dShift.pointer(rows: rows, columns: D)))
  }
}
