// SPDX-License-Identifier: Apache-2.0

import KernelInterface

/// A drive at one time step as a formula on units, in the order of `DriveCall`.
///
/// It has no recurrent term. Drives that change the recurrent term work only inside fused layers.
struct DriveStep<D: DriveFormula>: UnitFormula {
  static var inputs: Int { D.hasSecondMoment ? 3 : 2 }
  static var outputs: Int { D.hasSecondMoment ? 3 : 2 }

  private let drive: D

  @inline(__always)
  init(_ parameters: DriveParameters, step: Int) { drive = D(parameters, step: step) }

  @inline(__always)
  func apply(_ x: Eight<D.V>) -> Eight<D.V> {
    var (v, q) = (x.n1, x.n2)
    let d = drive.forward(x.n0, D.V(0), v: &v, q: &q).d
    return Eight(d, v, q)
  }
}

/// The adjoint of `DriveStep`.
struct DriveStepAdjoint<D: DriveFormula>: UnitFormula {
  static var inputs: Int { D.hasSecondMoment ? 6 : 2 }
  static var outputs: Int { D.hasSecondMoment ? 3 : 2 }

  private let drive: D

  @inline(__always)
  init(_ parameters: DriveParameters, step: Int) { drive = D(parameters, step: step) }

  @inline(__always)
  func apply(_ x: Eight<D.V>) -> Eight<D.V> {
    var (dv, dq) = (x.n1, x.n5)
    let dg = drive.backward(x.n0, D.V(0), g: x.n2, v: x.n3, q: x.n4, dv: &dv, dq: &dq).dg
    return Eight(dg, dv, dq)
  }
}

extension DriveFormula {
  /// Whether there is a second moment. Only drives with one read their activations in `backward`.
  fileprivate static var hasSecondMoment: Bool { needsActivations }
}
