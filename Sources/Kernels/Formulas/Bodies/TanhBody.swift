// SPDX-License-Identifier: Apache-2.0

/// The simple recurrent cell (Elman, 1990).
///
///     h_t = tanh(d_t + a_t)
enum TanhBody<V: Lanes>: BodyFormula {
  static var gates: Int { 1 }
  static var activations: Int { 1 }
  static var logistics: Int { 0 }
  static var tanhs: Int { 0 }
  static var endsWithTanh: Bool { true }
  static var saved: Int { 0 }
  static var hasCell: Bool { false }
  static var readsHidden: Bool { true }
  static var hasUnitBias: Bool { false }

  @inline(__always)
  static func preactivate(d: GatePack<V>, a: GatePack<V>) -> GatePack<V> {
    GatePack(first: d.g0 + a.g0)
  }

  @inline(__always)
  static func argument(_ activated: GatePack<V>, c: inout V) -> V { activated.g0 }

  @inline(__always)
  static func update(
    _ activated: GatePack<V>, value: V, h: V, unitBias: V, saved: inout GatePack<V>
  ) -> V { value }

  @inline(__always)
  static func backward(
    dh: V, dc: inout V, saved: GatePack<V>, h: V, hBefore: V, tanhC: V, cBefore: V
  ) -> BodyGradient<V> {
    let dz = GatePack(first: dh * (V(1) - h * h))
    return BodyGradient(dd: dz, da: dz, dhBefore: V(0), dUnitBias: V(0))
  }
}
