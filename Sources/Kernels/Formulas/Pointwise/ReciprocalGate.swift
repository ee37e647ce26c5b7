// SPDX-License-Identifier: Apache-2.0

/// One of the two updates of a reciprocal gated cell (Nayebi et al., NeurIPS 2018): the sum of
/// input and state, each scaled by its own gate.
///
///     p = 1 - σ(a),   q = 1 - σ(b)
///     s' = ELU(p x + q s)
enum ReciprocalGate<V: Lanes>: PointwiseFormula {
  static var inputs: Int { 4 }
  static var outputs: Int { 3 }

  @inline(__always)
  static func apply(_ x: Eight<V>) -> Eight<V> {
    let (input, state) = (x.n0, x.n1)
    let p = (V(0) - x.n2).logistic
    let q = (V(0) - x.n3).logistic
    return Eight((q * state).adding(p, times: input).exponentialLinear, p, q)
  }
}

/// The adjoint of `ReciprocalGate`: takes ds', s', p, q, x and s; gives dx, ds, da and db.
enum ReciprocalGateAdjoint<V: Lanes>: PointwiseFormula {
  static var inputs: Int { 6 }
  static var outputs: Int { 4 }

  @inline(__always)
  static func apply(_ x: Eight<V>) -> Eight<V> {
    let (p, q, input, state) = (x.n2, x.n3, x.n4, x.n5)
    let slope = x.n0 * x.n1.exponentialLinearSlope
    let one = V(1)
    return Eight(
      slope * p, slope * q, slope * input * (p * (p - one)), slope * state * (q * (q - one)))
  }
}
