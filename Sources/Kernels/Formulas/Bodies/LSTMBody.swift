// SPDX-License-Identifier: Apache-2.0

/// Long short-term memory with a forget gate (Gers et al., 2000), PyTorch's gate order i, f, g, o.
///
///     z = d_t + a_t
///     c_t = σ(z_f) c_{t-1} + σ(z_i) tanh(z_g)
///     h_t = σ(z_o) tanh(c_t)
enum LSTMBody<V: Lanes>: BodyFormula {
  static var gates: Int { 4 }
  static var activations: Int { 4 }
  static var logistics: Int { 3 }
  static var tanhs: Int { 1 }
  static var endsWithTanh: Bool { true }
  static var saved: Int { 4 }
  static var hasCell: Bool { true }
  static var readsHidden: Bool { false }
  static var hasUnitBias: Bool { false }

  /// The order of the activations is i, f, o, g, so that those with the same function are adjacent.
  @inline(__always)
  static func preactivate(d: GatePack<V>, a: GatePack<V>) -> GatePack<V> {
    GatePack(d.g0 + a.g0, d.g1 + a.g1, d.g3 + a.g3, d.g2 + a.g2)
  }

  @inline(__always)
  static func argument(_ activated: GatePack<V>, c: inout V) -> V {
    let (i, f, g) = (activated.g0, activated.g1, activated.g3)
    c = (i * g).adding(f, times: c)
    return c
  }

  @inline(__always)
  static func update(
    _ activated: GatePack<V>, value: V, h: V, unitBias: V, saved: inout GatePack<V>
  ) -> V {
    let (i, f, o, g) = (activated.g0, activated.g1, activated.g2, activated.g3)
    saved = GatePack(i, f, g, o)
    return o * value
  }

  @inline(__always)
  static func backward(
    dh: V, dc: inout V, saved: GatePack<V>, h: V, hBefore: V, tanhC: V, cBefore: V
  ) -> BodyGradient<V> {
    let (i, f, g, o) = (saved.g0, saved.g1, saved.g2, saved.g3)
    let one = V(1)
    let dcNow = dc.adding(dh * o, times: one - tanhC * tanhC)
    let dz = GatePack(
      dcNow * g * (i * (one - i)),
      dcNow * cBefore * (f * (one - f)),
      dcNow * i * (one - g * g),
      dh * tanhC * (o * (one - o)))
    dc = dcNow * f
    return BodyGradient(dd: dz, da: dz, dhBefore: V(0), dUnitBias: V(0))
  }
}
