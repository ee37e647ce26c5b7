// SPDX-License-Identifier: Apache-2.0

/// Memories of the scaled Legendre measure over one time step, in O(order) each.
///
/// Row n of the batch has M memories of `order` coefficients and one clock: whether its sequence
/// has begun, 0 or 1, and the time of its last step, counted from the first.
public struct LegendreMemoryCall<Scalar> {
  public var rows: Int
  /// M
  public var channels: Int
  public var order: Int
  /// The shares of the old and of the new memory in the mean of the discretisation.
  public var oldShare: Scalar
  public var newShare: Scalar
  /// After this many steps the step size no longer falls; 0 has no such limit. It does not apply if
  /// times are given.
  public var maximumSteps: Scalar
  public var roots: UnsafePointer<Scalar>  // [order], √(2n + 1)
  public var times: UnsafePointer<Double>?  // [rows]; nil: the last time and 1
  public var clock: UnsafePointer<Scalar>  // [rows, 2], before the step

  public init(
    rows: Int, channels: Int, order: Int, oldShare: Scalar, newShare: Scalar,
    maximumSteps: Scalar, roots: UnsafePointer<Scalar>, times: UnsafePointer<Double>?,
    clock: UnsafePointer<Scalar>
  ) {
    self.rows = rows
    self.channels = channels
    self.order = order
    self.oldShare = oldShare
    self.newShare = newShare
    self.maximumSteps = maximumSteps
    self.roots = roots
    self.times = times
    self.clock = clock
  }
}

/// The inputs and outputs of a step forward.
public struct LegendreMemoryForward<Scalar> {
  public var input: UnsafePointer<Scalar>  // u [rows, M]
  public var before: UnsafePointer<Scalar>  // [rows, M, order]
  public var after: UnsafeMutablePointer<Scalar>  // [rows, M, order]; distinct from `before`
  public var clockAfter: UnsafeMutablePointer<Scalar>  // [rows, 2]

  public init(
    input: UnsafePointer<Scalar>, before: UnsafePointer<Scalar>,
    after: UnsafeMutablePointer<Scalar>, clockAfter: UnsafeMutablePointer<Scalar>
  ) {
    self.input = input
    self.before = before
    self.after = after
    self.clockAfter = clockAfter
  }
}

/// The inputs and outputs of the adjoint of a step.
public struct LegendreMemoryBackward<Scalar> {
  public var dAfter: UnsafePointer<Scalar>  // [rows, M, order]
  public var dBefore: UnsafeMutablePointer<Scalar>  // [rows, M, order], overwritten
  public var dInput: UnsafeMutablePointer<Scalar>  // [rows, M], overwritten

  public init(
    dAfter: UnsafePointer<Scalar>, dBefore: UnsafeMutablePointer<Scalar>,
    dInput: UnsafeMutablePointer<Scalar>
  ) {
    self.dAfter = dAfter
    self.dBefore = dBefore
    self.dInput = dInput
  }
}
