// SPDX-License-Identifier: Apache-2.0

/// A state scaled by a gate.
///
///     r = σ(z),   s = r h
enum ResetState<V: Lanes>: PointwiseFormula {
  static var inputs: Int { 2 }
  static var outputs: Int { 2 }

  @inline(__always)
  static func apply(_ x: Eight<V>) -> Eight<V> {
    let r = x.n0.logistic
    return Eight(r * x.n1, r)
  }
}

/// The adjoint of `ResetState`: takes ds, r and h; gives dz and dh.
enum ResetStateAdjoint<V: Lanes>: PointwiseFormula {
  static var inputs: Int { 3 }
  static var outputs: Int { 2 }

  @inline(__always)
  static func apply(_ x: Eight<V>) -> Eight<V> {
    let (ds, r, h) = (x.n0, x.n1, x.n2)
    return Eight(ds * h * (r * (V(1) - r)), ds * r)
  }
}
