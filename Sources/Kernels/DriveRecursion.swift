// SPDX-License-Identifier: Apache-2.0

import KernelInterface
import Tensors

/// One time step of a drive, d_t = drive(g_t), on the kernels of the backend. Layers that are not
/// fused use it.
///
/// The extrapolated Nesterov drive also changes the recurrent term and works only inside fused
/// layers; the plain drive needs no computation.
public enum DriveRecursion {
  /// Advances a drive by one step. All tensors are [rows, W].
  ///
  /// - Parameters:
  ///   - drive: the drive and its constants
  ///   - step: how many steps came before this one
  ///   - term: g_t, overwritten by d_t
  ///   - before: v before the step, and q if the drive has a second moment
  ///   - after: receives the same states after the step
  public static func forward<Scalar: KernelScalar>(
    _ drive: DriveParameters, step: Int, term: Tensor<Scalar>, before: [Tensor<Scalar>],
    after: [Tensor<Scalar>]
  ) {
    check(drive, before, after)
    let (rows, columns) = (term.shape[0], term.shape[1])
    let inputs = [ColumnBlock(term)] + before.map { ColumnBlock($0) }
    let outputs = [ColumnBlock(term)] + after.map { ColumnBlock($0) }
    withPointers(inputs, outputs, rows: rows, columns: columns) { inputs, outputs in
      Scalar.kernels(on: .current).drive(
        DriveCall(
          drive, step: step, rows: rows, columns: columns, inputs: inputs, outputs: outputs))
    }
  }

  /// The adjoint of `forward`.
  ///
  /// - Parameters:
  ///   - drive: the drive and its constants
  ///   - step: as in `forward`
  ///   - gradient: dL/dd_t, overwritten by dL/dg_t
  ///   - saved: g_t, and the states after the step; nil if the drive has no second moment
  ///   - dAfter: dL/dv and dL/dq after the step
  ///   - dBefore: receives the gradients of the states before the step
  public static func backward<Scalar: KernelScalar>(
    _ drive: DriveParameters, step: Int, gradient: Tensor<Scalar>,
    saved: (term: Tensor<Scalar>, after: [Tensor<Scalar>])?, dAfter: [Tensor<Scalar>],
    dBefore: [Tensor<Scalar>]
  ) {
    check(drive, dAfter, dBefore)
    precondition((saved != nil) == drive.hasSecondMoment, "\(drive.kind) and what it saves")
    let (rows, columns) = (gradient.shape[0], gradient.shape[1])
    var inputs = [ColumnBlock(gradient), ColumnBlock(dAfter[0])]
    if let saved {
      inputs += ([saved.term] + saved.after + dAfter.dropFirst()).map { ColumnBlock($0) }
    }
    let outputs = [ColumnBlock(gradient)] + dBefore.map { ColumnBlock($0) }
    withPointers(inputs, outputs, rows: rows, columns: columns) { inputs, outputs in
      Scalar.kernels(on: .current).driveBackward(
        DriveCall(
          drive, step: step, rows: rows, columns: columns, inputs: inputs, outputs: outputs))
    }
  }

  private static func check<Scalar>(
    _ drive: DriveParameters, _ before: [Tensor<Scalar>], _ after: [Tensor<Scalar>]
  ) {
    precondition(
      drive.hasVelocity && drive.kind != .nesterovExtrapolated, "a step of \(drive.kind) by itself")
    let states = drive.hasSecondMoment ? 2 : 1
    precondition(before.count == states && after.count == states, "\(states) states of a drive")
  }
}
