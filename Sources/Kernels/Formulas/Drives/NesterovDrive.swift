// SPDX-License-Identifier: Apache-2.0

import KernelInterface

/// Nesterov's accelerated gradient on the input, with scheduled restart (Nguyen et al., NeurIPS
/// 2020, NAG-RNN and SRRNN; the form of the authors' language-model code).
///
///     v_t = (k_t - 1)/(k_t + 2) v_{t-1} + ε g_t,   k_t = ((t-1) mod F) + 1
///     d_t = v_t
struct NesterovDrive<V: Lanes>: DriveFormula {
  static var needsActivations: Bool { false }

  let coefficient: V
  let epsilon: V

  @inline(__always)
  init(_ parameters: DriveParameters, step: Int) {
    coefficient = V(parameters.nesterovCoefficient(atStep: step))
    epsilon = V(parameters.epsilon)
  }

  @inline(__always)
  func forward(_ g: V, _ a: V, v: inout V, q: inout V) -> (d: V, a: V) {
    v = (epsilon * g).adding(coefficient, times: v)
    return (v, a)
  }

  @inline(__always)
  func backward(_ dd: V, _ da: V, g: V, v: V, q: V, dv: inout V, dq: inout V) -> (dg: V, da: V) {
    let dvNow = dv + dd
    dv = coefficient * dvNow
    return (epsilon * dvNow, da)
  }
}
