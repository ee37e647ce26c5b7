// SPDX-License-Identifier: Apache-2.0

import KernelInterface

/// The authors' second Nesterov form, which extrapolates the whole pre-activation, including the
/// recurrent term. They used it for the SRLSTM rows of their MNIST and TIMIT tables.
///
///     v_t = a_t - ε g_t
///     d_t + a_t := v_t + (k_t - 1)/(k_t + 2) (v_t - v_{t-1}),   k_t = ((t-1) mod F) + 1
///
/// It requires a body that uses d and a only as the sum d + a, so not a GRU.
struct NesterovExtrapolatedDrive<V: Lanes>: DriveFormula {
  static var needsActivations: Bool { false }

  let coefficient: V
  let onePlusCoefficient: V
  let epsilon: V

  @inline(__always)
  init(_ parameters: DriveParameters, step: Int) {
    let value = parameters.nesterovCoefficient(atStep: step)
    coefficient = V(value)
    onePlusCoefficient = V(1 + value)
    epsilon = V(parameters.epsilon)
  }

  @inline(__always)
  func forward(_ g: V, _ a: V, v: inout V, q: inout V) -> (d: V, a: V) {
    let old = v
    v = a - epsilon * g
    return (V(0), v.adding(coefficient, times: v - old))
  }

  @inline(__always)
  func backward(_ dd: V, _ da: V, g: V, v: V, q: V, dv: inout V, dq: inout V) -> (dg: V, da: V) {
    let dvNow = dv.adding(onePlusCoefficient, times: da)
    dv = V(0) - coefficient * da
    return (V(0) - epsilon * dvNow, dvNow)
  }
}
