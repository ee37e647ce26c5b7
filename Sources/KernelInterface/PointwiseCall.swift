// SPDX-License-Identifier: Apache-2.0

/// A formula that is applied to each unit of a layer separately.
///
/// Each case has its equations in one file of `Kernels/Formulas/Pointwise`, together with those of
/// its adjoint. The comment gives the order of the arguments: inputs -> outputs.
public enum PointwiseKind: String, Sendable, Hashable, CaseIterable {
  /// z -> h
  case tanh
  /// dh, h -> dz
  case tanhAdjoint
  /// Pre-activations of f, i, o, g, and c -> f, i, o, g activated, and c'
  case lstmGates
  /// dc', do (of o activated), f, i, o, g, c -> df, di, do, dg (of the pre-activations), dc
  case lstmGatesAdjoint
  /// o, n -> h, t
  case lstmOutput
  /// dh, o, t -> do (of o activated), dn
  case lstmOutputAdjoint
  /// r, z, n of the input, r, z, n of the state, h -> h', r, z, n activated, n of the state
  case gru
  /// dh', r, z, n, n of the state, h -> deltas of r, z, n of the input, of r, z, n of the state, dh
  case gruAdjoint
  /// Pre-activations of candidate and gate, h -> h', candidate, gate
  case gatedUpdate
  /// dh', candidate, gate, h -> deltas of candidate and gate, dh
  case gatedUpdateAdjoint
  /// a, b -> a + b
  case sum
  /// a -> a
  case copy
  /// z -> y
  case elu
  /// dy, y -> dz
  case eluAdjoint
  /// z -> y
  case relu
  /// dy, y -> dz
  case reluAdjoint
  /// x, s, pre-activations of the gates of x and of s -> s', and the open shares of both gates
  case reciprocalGate
  /// ds', s', the open shares of the gates of x and of s, x, s -> dx, ds, deltas of both gates
  case reciprocalGateAdjoint
  /// Pre-activations of gate and candidate, h -> h', gate, candidate
  case carriedUpdate
  /// dh', gate, candidate, h -> deltas of gate and candidate, dh
  case carriedUpdateAdjoint
  /// As `carriedUpdate`, with a rectified candidate
  case rectifiedUpdate
  /// As `carriedUpdateAdjoint`
  case rectifiedUpdateAdjoint
  /// Pre-activation of r, h -> r h, r
  case resetState
  /// d(r h), r, h -> delta of r, dh
  case resetStateAdjoint
}

/// Columns of a row-major matrix: the address of their first row, and the distance between rows.
public struct ColumnPointer<Scalar> {
  /// The first number of the first row.
  public var start: UnsafeMutablePointer<Scalar>
  /// The numbers from one row to the next.
  public var stride: Int

  public init(_ start: UnsafeMutablePointer<Scalar>, stride: Int) {
    self.start = start
    self.stride = stride
  }
}

/// One formula applied to some columns of matrices with the same rows.
public struct PointwiseCall<Scalar> {
  /// The formula.
  public var kind: PointwiseKind
  /// The rows of every matrix.
  public var rows: Int
  /// The columns of each input and output.
  public var columns: Int
  /// One for each input of the formula. An output may share the memory of an input.
  public var inputs: UnsafePointer<ColumnPointer<Scalar>>
  /// One for each output of the formula.
  public var outputs: UnsafePointer<ColumnPointer<Scalar>>

  public init(
    _ kind: PointwiseKind, rows: Int, columns: Int,
    inputs: UnsafePointer<ColumnPointer<Scalar>>, outputs: UnsafePointer<ColumnPointer<Scalar>>
  ) {
    self.kind = kind
    self.rows = rows
    self.columns = columns
    self.inputs = inputs
    self.outputs = outputs
  }
}

/// One time step of a drive, or its adjoint, applied to some columns of matrices with the same
/// rows.
///
/// The order of the blocks, with q and dq only for a drive with a second moment:
///
///     forward   g, v, q -> d, v', q'
///     backward  dd, dv', g, v', q', dq' -> dg, dv, dq
///
/// without g, v', q' and dq' if there is no q. A prime marks a state after the step.
public struct DriveCall<Scalar> {
  /// The drive and its constants.
  public var drive: DriveParameters
  /// How many steps came before this one.
  public var step: Int
  /// The rows of every matrix.
  public var rows: Int
  /// The columns of each input and output.
  public var columns: Int
  /// An output may share the memory of an input.
  public var inputs: UnsafePointer<ColumnPointer<Scalar>>
  /// The outputs, in the order above.
  public var outputs: UnsafePointer<ColumnPointer<Scalar>>

  public init(
    _ drive: DriveParameters, step: Int, rows: Int, columns: Int,
    inputs: UnsafePointer<ColumnPointer<Scalar>>, outputs: UnsafePointer<ColumnPointer<Scalar>>
  ) {
    self.drive = drive
    self.step = step
    self.rows = rows
    self.columns = columns
    self.inputs = inputs
    self.outputs = outputs
  }
}
