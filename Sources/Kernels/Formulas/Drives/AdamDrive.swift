// SPDX-License-Identifier: Apache-2.0

import KernelInterface

/// Momentum scaled by a running second moment (Nguyen et al., NeurIPS 2020, AdamRNN); with μ = 0
/// it is RMSPropRNN.
///
///     v_t = μ v_{t-1} + ε g_t
///     q_t = β q_{t-1} + (1-β) g_t²
///     d_t = v_t / √(q_t + 1e-16)
///
/// The 1e-16 is inside the root, and there is no bias correction, as in the authors' code. If g and
/// q are exactly 0, the derivative of d with respect to g is ε·1e8. It is the true derivative of
/// the published equation, so it is kept. Gradient clipping bounds the step; the authors clip at
/// 1.0.
struct AdamDrive<V: Lanes>: DriveFormula {
  static var needsActivations: Bool { true }

  let mu: V
  let epsilon: V
  let beta: V
  let oneMinusBeta: V

  @inline(__always)
  init(_ parameters: DriveParameters, step: Int) {
    mu = V(parameters.mu)
    epsilon = V(parameters.epsilon)
    beta = V(parameters.beta)
    oneMinusBeta = V(1 - parameters.beta)
  }

  @inline(__always)
  func forward(_ g: V, _ a: V, v: inout V, q: inout V) -> (d: V, a: V) {
    v = (epsilon * g).adding(mu, times: v)
    q = (oneMinusBeta * (g * g)).adding(beta, times: q)
    return (v / (q + V(1e-16)).squareRoot, a)
  }

  @inline(__always)
  func backward(_ dd: V, _ da: V, g: V, v: V, q: V, dv: inout V, dq: inout V) -> (dg: V, da: V) {
    let inverse = V(1) / (q + V(1e-16)).squareRoot
    let scaled = dd * inverse
    let dvNow = dv + scaled
    // -dd · v/2 · (q + 1e-16)^(-3/2), written so that no factor leaves Float's range.
    let dqNow = dq - V(0.5) * (scaled * inverse) * (v * inverse)
    dv = mu * dvNow
    dq = beta * dqNow
    return ((epsilon * dvNow).adding(V(2) * oneMinusBeta * g, times: dqNow), da)
  }
}
