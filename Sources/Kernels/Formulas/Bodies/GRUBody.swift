// SPDX-License-Identifier: Apache-2.0

/// The gated recurrent unit (Cho et al., 2014) in PyTorch's form: r multiplies the recurrent
/// term after its bias. Gate order r, z, n.
///
///     r = σ(d_r + a_r),  z = σ(d_z + a_z),  n = tanh(d_n + r a_n)
///     h_t = (1 - z) n + z h_{t-1}
enum GRUBody<V: Lanes>: BodyFormula {
  static var gates: Int { 3 }
  static var activations: Int { 4 }
  static var logistics: Int { 2 }
  static var tanhs: Int { 0 }
  static var endsWithTanh: Bool { true }
  static var saved: Int { 4 }
  static var hasCell: Bool { false }
  static var readsHidden: Bool { true }
  static var hasUnitBias: Bool { false }

  @inline(__always)
  static func preactivate(d: GatePack<V>, a: GatePack<V>) -> GatePack<V> {
    GatePack(d.g0 + a.g0, d.g1 + a.g1, d.g2, a.g2)
  }

  @inline(__always)
  static func argument(_ activated: GatePack<V>, c: inout V) -> V {
    activated.g2.adding(activated.g0, times: activated.g3)
  }

  @inline(__always)
  static func update(
    _ activated: GatePack<V>, value: V, h: V, unitBias: V, saved: inout GatePack<V>
  ) -> V {
    let (r, z, n, an) = (activated.g0, activated.g1, value, activated.g3)
    saved = GatePack(r, z, n, an)
    return n.adding(z, times: h - n)
  }

  @inline(__always)
  static func backward(
    dh: V, dc: inout V, saved: GatePack<V>, h: V, hBefore: V, tanhC: V, cBefore: V
  ) -> BodyGradient<V> {
    let (r, z, n, an) = (saved.g0, saved.g1, saved.g2, saved.g3)
    let one = V(1)
    let dn = dh * (one - z) * (one - n * n)
    let dz = dh * (hBefore - n) * (z * (one - z))
    let dr = dn * an * (r * (one - r))
    return BodyGradient(
      dd: GatePack(dr, dz, dn, V(0)), da: GatePack(dr, dz, dn * r, V(0)),
      dhBefore: dh * z, dUnitBias: V(0))
  }
}
