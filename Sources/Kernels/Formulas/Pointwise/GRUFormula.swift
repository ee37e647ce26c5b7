// SPDX-License-Identifier: Apache-2.0

/// A step of a GRU by the equations of `GRUBody`: takes r, z, n of the input, r, z, n of the
/// recurrent term, and h; gives h', and for the adjoint r, z, n, and n of the recurrent term.
enum GRUFormula<V: Lanes>: PointwiseFormula {
  static var inputs: Int { 7 }
  static var outputs: Int { 5 }

  @inline(__always)
  static func apply(_ x: Eight<V>) -> Eight<V> {
    let d = GatePack(x.n0, x.n1, x.n2, V(0))
    let a = GatePack(x.n3, x.n4, x.n5, V(0))
    var (cell, saved) = (V(0), d)
    let h = GRUBody.forward(d: d, a: a, h: x.n6, c: &cell, unitBias: V(0), saved: &saved)
    return Eight(h, saved.g0, saved.g1, saved.g2, saved.g3)
  }
}

/// The adjoint of `GRUFormula`: takes dh', what the formula saved, and h; gives the gradients of
/// r, z, n of the input, of r, z, n of the recurrent term, and of h where it enters directly.
enum GRUAdjoint<V: Lanes>: PointwiseFormula {
  static var inputs: Int { 6 }
  static var outputs: Int { 7 }

  @inline(__always)
  static func apply(_ x: Eight<V>) -> Eight<V> {
    var cell = V(0)
    let gradient = GRUBody.backward(
      dh: x.n0, dc: &cell, saved: GatePack(x.n1, x.n2, x.n3, x.n4), h: V(0), hBefore: x.n5,
      tanhC: V(0), cBefore: V(0))
    let (dd, da) = (gradient.dd, gradient.da)
    return Eight(dd.g0, dd.g1, dd.g2, da.g0, da.g1, da.g2, gradient.dhBefore)
  }
}
