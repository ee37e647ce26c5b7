// SPDX-License-Identifier: Apache-2.0

/// A state of which a gate keeps a share. A candidate replaces the rest.
///
///     g = σ(z_g),   c = tanh z_c
///     h' = g h + (1 - g) c
enum CarriedUpdate<V: Lanes>: PointwiseFormula {
  static var inputs: Int { 3 }
  static var outputs: Int { 3 }

  @inline(__always)
  static func apply(_ x: Eight<V>) -> Eight<V> {
    let (g, c, h) = (x.n0.logistic, x.n1.hyperbolicTangent, x.n2)
    return Eight(c.adding(g, times: h - c), g, c)
  }
}

/// The adjoint of `CarriedUpdate`: takes dh', g, c and h; gives dz_g, dz_c and dh.
enum CarriedUpdateAdjoint<V: Lanes>: PointwiseFormula {
  static var inputs: Int { 4 }
  static var outputs: Int { 3 }

  @inline(__always)
  static func apply(_ x: Eight<V>) -> Eight<V> {
    let (dh, g, c, h) = (x.n0, x.n1, x.n2, x.n3)
    let one = V(1)
    return Eight(
      dh * (h - c) * (g * (one - g)), dh * (one - g) * (one - c * c), dh * g)
  }
}

/// The same with a rectified candidate, c = max(z_c, 0).
enum RectifiedUpdate<V: Lanes>: PointwiseFormula {
  static var inputs: Int { 3 }
  static var outputs: Int { 3 }

  @inline(__always)
  static func apply(_ x: Eight<V>) -> Eight<V> {
    let (g, c, h) = (x.n0.logistic, x.n1.ifPositive(x.n1, else: V(0)), x.n2)
    return Eight(c.adding(g, times: h - c), g, c)
  }
}

/// The adjoint of `RectifiedUpdate`: takes dh', g, c and h; gives dz_g, dz_c and dh.
enum RectifiedUpdateAdjoint<V: Lanes>: PointwiseFormula {
  static var inputs: Int { 4 }
  static var outputs: Int { 3 }

  @inline(__always)
  static func apply(_ x: Eight<V>) -> Eight<V> {
    let (dh, g, c, h) = (x.n0, x.n1, x.n2, x.n3)
    let one = V(1)
    return Eight(
      dh * (h - c) * (g * (one - g)), c.ifPositive(dh * (one - g), else: V(0)), dh * g)
  }
}
