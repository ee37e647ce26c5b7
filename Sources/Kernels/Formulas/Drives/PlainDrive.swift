// SPDX-License-Identifier: Apache-2.0

import KernelInterface

/// The drive of an ordinary recurrent cell.
///
///     d_t = g_t
struct PlainDrive<V: Lanes>: DriveFormula {
  static var needsActivations: Bool { false }

  @inline(__always)
  init(_ parameters: DriveParameters, step: Int) {}

  @inline(__always)
  func forward(_ g: V, _ a: V, v: inout V, q: inout V) -> (d: V, a: V) { (g, a) }

  @inline(__always)
  func backward(_ dd: V, _ da: V, g: V, v: V, q: V, dv: inout V, dq: inout V) -> (dg: V, da: V) {
    (dd, da)
  }
}
