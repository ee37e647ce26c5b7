// SPDX-License-Identifier: Apache-2.0

/// The modReLU cell of orthogonal networks (Arjovsky et al., 2016; Helfrich et al., 2018).
///
///     z = d_t + a_t
///     h_t = sign(z) max(|z| + b, 0),   sign(0) = 0
///
/// The derivative at z = 0 is 0. If h_t is not 0 its sign is that of z, so the backward pass needs
/// only h_t.
enum ModReLUBody<V: Lanes>: BodyFormula {
  static var gates: Int { 1 }
  static var activations: Int { 1 }
  static var logistics: Int { 0 }
  static var tanhs: Int { 0 }
  static var endsWithTanh: Bool { false }
  static var saved: Int { 0 }
  static var hasCell: Bool { false }
  static var readsHidden: Bool { true }
  static var hasUnitBias: Bool { true }

  @inline(__always)
  static func preactivate(d: GatePack<V>, a: GatePack<V>) -> GatePack<V> {
    GatePack(first: d.g0 + a.g0)
  }

  @inline(__always)
  static func argument(_ activated: GatePack<V>, c: inout V) -> V { activated.g0 }

  @inline(__always)
  static func update(
    _ activated: GatePack<V>, value: V, h: V, unitBias: V, saved: inout GatePack<V>
  ) -> V {
    let (z, zero) = (value, V(0))
    let shifted = z.absolute + unitBias
    let magnitude = z.absolute.ifPositive(shifted.ifPositive(shifted, else: zero), else: zero)
    return z.ifPositive(magnitude, else: zero - magnitude)
  }

  @inline(__always)
  static func backward(
    dh: V, dc: inout V, saved: GatePack<V>, h: V, hBefore: V, tanhC: V, cBefore: V
  ) -> BodyGradient<V> {
    let zero = V(0)
    let active = h.absolute.ifPositive(dh, else: zero)
    let dz = GatePack(first: active)
    return BodyGradient(
      dd: dz, da: dz, dhBefore: zero, dUnitBias: h.ifPositive(active, else: zero - active))
  }
}
