// SPDX-License-Identifier: Apache-2.0

import KernelInterface

/// Heavy-ball momentum on the input (Nguyen et al., NeurIPS 2020, MomentumRNN).
///
///     v_t = μ v_{t-1} + ε g_t
///     d_t = v_t
struct MomentumDrive<V: Lanes>: DriveFormula {
  static var needsActivations: Bool { false }

  let mu: V
  let epsilon: V

  @inline(__always)
  init(_ parameters: DriveParameters, step: Int) {
    mu = V(parameters.mu)
    epsilon = V(parameters.epsilon)
  }

  @inline(__always)
  func forward(_ g: V, _ a: V, v: inout V, q: inout V) -> (d: V, a: V) {
    v = (epsilon * g).adding(mu, times: v)
    return (v, a)
  }

  @inline(__always)
  func backward(_ dd: V, _ da: V, g: V, v: V, q: V, dv: inout V, dq: inout V) -> (dg: V, da: V) {
    let dvNow = dv + dd
    dv = mu * dvNow
    return (epsilon * dvNow, da)
  }
}
