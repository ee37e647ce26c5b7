// SPDX-License-Identifier: Apache-2.0

/// A state that a gate moves towards a candidate.
///
///     c = tanh z_c,   g = σ(z_g)
///     h' = (1 - g) h + g c
enum GatedUpdate<V: Lanes>: PointwiseFormula {
  static var inputs: Int { 3 }
  static var outputs: Int { 3 }

  @inline(__always)
  static func apply(_ x: Eight<V>) -> Eight<V> {
    let (c, g, h) = (x.n0.hyperbolicTangent, x.n1.logistic, x.n2)
    return Eight(h.adding(g, times: c - h), c, g)
  }
}

/// The adjoint of `GatedUpdate`: takes dh', c, g and h; gives dz_c, dz_g and dh.
enum GatedUpdateAdjoint<V: Lanes>: PointwiseFormula {
  static var inputs: Int { 4 }
  static var outputs: Int { 3 }

  @inline(__always)
  static func apply(_ x: Eight<V>) -> Eight<V> {
    let (dh, c, g, h) = (x.n0, x.n1, x.n2, x.n3)
    let one = V(1)
    return Eight(
      dh * g * (one - c * c), dh * (c - h) * (g * (one - g)), dh * (one - g))
  }
}
