// SPDX-License-Identifier: Apache-2.0

/// h = tanh z
enum TanhFormula<V: Lanes>: PointwiseFormula {
  static var inputs: Int { 1 }
  static var outputs: Int { 1 }

  @inline(__always)
  static func apply(_ x: Eight<V>) -> Eight<V> { Eight(x.n0.hyperbolicTangent) }
}

/// dz = dh (1 - h²)
enum TanhAdjoint<V: Lanes>: PointwiseFormula {
  static var inputs: Int { 2 }
  static var outputs: Int { 1 }

  @inline(__always)
  static func apply(_ x: Eight<V>) -> Eight<V> {
    let (dh, h) = (x.n0, x.n1)
    return Eight(dh * (V(1) - h * h))
  }
}
