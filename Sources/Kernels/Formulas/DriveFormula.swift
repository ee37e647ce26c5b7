// SPDX-License-Identifier: Apache-2.0

import KernelInterface

/// The recursion of a drive, element by element: the same for every gate, unit and row.
///
/// `forward` is called once per element and time step, `backward` once in reverse order. To add a
/// drive: a file in the folder `Drives`, a case of `DriveKind`, and a line in
/// `FormulaDispatch.swift`.
protocol DriveFormula {
  associatedtype V: Lanes

  /// Whether `backward` reads g_t, v_t and q_t.
  static var needsActivations: Bool { get }

  /// The drive at one time step, counted from 0.
  init(_ parameters: DriveParameters, step: Int)

  /// Takes g_t and the recurrent term a_t = W_hh h_{t-1} + b_hh; updates the states v and q from
  /// step t-1 to step t.
  ///
  /// - Returns: d_t and a_t as the body should see them. Most drives return `a` unchanged.
  func forward(_ g: V, _ a: V, v: inout V, q: inout V) -> (d: V, a: V)

  /// The adjoint of `forward`.
  ///
  /// - Parameters:
  ///   - dd: dL/dd_t
  ///   - da: the gradient of the a_t that `forward` returned
  ///   - g, v, q: the values at step t, unspecified unless `needsActivations`
  ///   - dv, dq: dL/dv_t and dL/dq_t from step t+1 on entry, dL/dv_{t-1} and dL/dq_{t-1} on return
  /// - Returns: dL/dg_t, and the gradient of the a_t that `forward` was given
  func backward(_ dd: V, _ da: V, g: V, v: V, q: V, dv: inout V, dq: inout V) -> (dg: V, da: V)
}
