// SPDX-License-Identifier: Apache-2.0

/// One time step of memories of the scaled Legendre measure, with O(order) operations for each.
///
/// Each row of the batch has M memories of `order` coefficients and one clock. A clock is two
/// numbers: whether the row's sequence has begun, 0 or 1, and the time of its last step, counted
/// from the first.
public struct LegendreMemoryCall<Scalar> {
  /// The rows of the batch.
  public var rows: Int
  /// M, the memories of a row.
  public var channels: Int
  /// The coefficients of a memory.
  public var order: Int
  /// The weight of the old memory in the mean that the discretisation differentiates.
  public var oldShare: Scalar
  /// The weight of the new memory in that mean.
  public var newShare: Scalar
  /// The step size falls for this many steps and then stays constant; 0 means without limit. It is
  /// ignored if `times` are given.
  public var maximumSteps: Scalar
  /// [order], √(2n + 1).
  public var roots: UnsafePointer<Scalar>
  /// [rows], the time of this step in each row; nil means one later than the last step.
  public var times: UnsafePointer<Double>?
  /// [rows, 2], the clocks before the step.
  public var clock: UnsafePointer<Scalar>

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
  /// u [rows, M].
  public var input: UnsafePointer<Scalar>
  /// The memories before the step, [rows, M, order].
  public var before: UnsafePointer<Scalar>
  /// The memories after it, [rows, M, order]; distinct from `before`.
  public var after: UnsafeMutablePointer<Scalar>
  /// The clocks after the step, [rows, 2].
  public var clockAfter: UnsafeMutablePointer<Scalar>

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
  /// The gradient of `after`, [rows, M, order].
  public var dAfter: UnsafePointer<Scalar>
  /// The gradient of `before`, [rows, M, order]; overwritten.
  public var dBefore: UnsafeMutablePointer<Scalar>
  /// The gradient of `input`, [rows, M]; overwritten.
  public var dInput: UnsafeMutablePointer<Scalar>

  public init(
    dAfter: UnsafePointer<Scalar>, dBefore: UnsafeMutablePointer<Scalar>,
    dInput: UnsafeMutablePointer<Scalar>
  ) {
    self.dAfter = dAfter
    self.dBefore = dBefore
    self.dInput = dInput
  }
}
