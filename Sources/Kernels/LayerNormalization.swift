// SPDX-License-Identifier: Apache-2.0

import KernelInterface
import Tensors

/// Layer normalisation (Ba et al., 2016) of D columns of each row, with the biased variance.
///
///     n = (z - mean z) / sqrt(var z + ε),  y = n · gain + shift,  ε = 1e-5
///
/// With a window it is assorted-time normalisation (Pospisil, Zadorozhnyy and Ye, 2022): mean and
/// variance are taken over z and the preceding rows in the window together, and gradients flow into
/// all of these rows.
public enum LayerNormalization {
  static var epsilon: Double { 1e-5 }

  /// The windows of all rows before and after a call, or the gradients of both, with the columns of
  /// `NormalizationWindow`.
  public struct Window<Scalar: KernelScalar> {
    private let before: ColumnBlock<Scalar>
    private let after: ColumnBlock<Scalar>
    private let length: Int

    /// - Parameters:
    ///   - length: W, how many rows a window holds, at least 1
    ///   - before: [rows, 2 W + 1]
    ///   - after: [rows, 2 W + 1]
    public init(length: Int, before: Tensor<Scalar>, after: Tensor<Scalar>) {
      precondition(length > 0, "a window of \(length) rows")
      self.length = length
      self.before = ColumnBlock(before)
      self.after = ColumnBlock(after)
    }

    /// The columns of a window of W rows: a mean and an M2 for each, and the number of filled rows.
    public static func columns(length W: Int) -> Int { 2 * W + 1 }

    fileprivate func pointers(rows: Int) -> NormalizationWindow<Scalar> {
      let columns = Self.columns(length: length)
      return NormalizationWindow(
        length: length, before: before.pointer(rows: rows, columns: columns),
        after: after.pointer(rows: rows, columns: columns))
    }
  }

  /// - Parameters:
  ///   - z: D columns
  ///   - gain: [D]
  ///   - shift: [D]
  ///   - y: D columns, overwritten or added to; may share the memory of z if overwritten
  ///   - isAdding: whether y is added to
  ///   - normalised: receives n in D columns, for `backward`
  ///   - inverseDeviation: receives 1 / sqrt(var z + ε) in one column, for `backward`
  ///   - isStreaming: whether writes to `normalised` bypass the caches
  ///   - window: the windows before, which are read, and after, overwritten; nil uses only z
  public static func forward<Scalar: KernelScalar>(
    _ z: ColumnBlock<Scalar>, gain: Tensor<Scalar>, shift: Tensor<Scalar>,
    into y: ColumnBlock<Scalar>, isAdding: Bool = false, normalised: ColumnBlock<Scalar>,
    inverseDeviation: ColumnBlock<Scalar>, isStreaming: Bool = false,
    window: Window<Scalar>? = nil
  ) {
    let (rows, D) = (z.rows, gain.count)
    precondition(D > 0 && shift.count == D, "gain \(gain.shape) and shift \(shift.shape)")
    Scalar.kernels(on: .current).normalize(
      NormalizationCall(
        rows: rows, columns: D, epsilon: Scalar(epsilon), gain: UnsafePointer(gain.pointer),
        shift: UnsafePointer(shift.pointer), z: z.pointer(rows: rows, columns: D),
        y: y.pointer(rows: rows, columns: D),
        normalised: normalised.pointer(rows: rows, columns: D),
        inverseDeviation: inverseDeviation.pointer(rows: rows, columns: 1),
        window: window?.pointers(rows: rows), isAdding: isAdding, isStreaming: isStreaming))
  }

  /// The adjoint of `forward`.
  ///
  /// - Parameters:
  ///   - dy: D columns
  ///   - normalised: n from `forward`
  ///   - inverseDeviation: that of `forward`
  ///   - gain: [D]
  ///   - dz: D columns, overwritten; may share the memory of dy
  ///   - dGain: [groups, D], to which the rows of a group add their dy · n, from first to last
  ///   - dShift: [groups, D], to which they add their dy
  ///   - groupStarts: the first row of each group, and the number of rows; nil makes each row a
  ///     group
  ///   - window: the windows of `forward`, and their gradients: the one after is read, the one
  ///     before overwritten
  public static func backward<Scalar: KernelScalar>(
    _ dy: ColumnBlock<Scalar>, normalised: ColumnBlock<Scalar>,
    inverseDeviation: ColumnBlock<Scalar>, gain: Tensor<Scalar>, into dz: ColumnBlock<Scalar>,
    dGain: ColumnBlock<Scalar>, dShift: ColumnBlock<Scalar>, groupStarts: [Int]? = nil,
    window: (values: Window<Scalar>, gradient: Window<Scalar>)? = nil
  ) {
    let (rows, D) = (dy.rows, gain.count)
    let groups = groupStarts.map { $0.count - 1 } ?? rows
    precondition(D > 0, "a gain of \(gain.shape)")
    precondition(
      groupStarts == nil || groupStarts!.first == 0 && groupStarts!.last == rows,
      "groups of \(rows) rows that start at \(groupStarts!)")
    // Without groups the pointer is not read.
    (groupStarts ?? []).withUnsafeBufferPointer { starts in
      Scalar.kernels(on: .current).normalizeBackward(
        NormalizationBackwardCall(
          rows: rows, columns: D, gain: UnsafePointer(gain.pointer),
          dy: dy.pointer(rows: rows, columns: D),
          normalised: normalised.pointer(rows: rows, columns: D),
          inverseDeviation: inverseDeviation.pointer(rows: rows, columns: 1),
          dz: dz.pointer(rows: rows, columns: D), dGain: dGain.pointer(rows: groups, columns: D),
          dShift: dShift.pointer(rows: groups, columns: D),
          groupStarts: groupStarts == nil ? nil : starts.baseAddress,
          window: window.map { ($0.pointers(rows: rows), $1.pointers(rows: rows)) }))
    }
  }
}
