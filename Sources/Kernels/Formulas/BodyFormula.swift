// SPDX-License-Identifier: Apache-2.0

/// The state update of a body, unit by unit.
///
/// σ and tanh are long chains of dependent operations. The formulas leave them to the kernels, which
/// compute them for many units at a time, so that the chains overlap. A time step is
///
///     z = preactivate(d, a)
///     activated = σ of the first `logistics` packs of z, tanh of the next `tanhs`, the rest of z
///     x = argument(activated, c)
///     h = update(activated, tanh x if `endsWithTanh`, otherwise x)
///
/// To add a body: a file in the folder `Bodies`, a case of `BodyKind`, and a line in
/// `FormulaDispatch.swift`.
protocol BodyFormula {
  associatedtype V: Lanes

  /// G, the number of packs of a `GatePack` that are used.
  static var gates: Int { get }
  /// How many packs `preactivate` returns.
  static var activations: Int { get }
  /// How many of them, from the first on, σ is applied to.
  static var logistics: Int { get }
  /// How many of the following ones tanh is applied to.
  static var tanhs: Int { get }
  /// Whether `update` takes tanh of the argument, not the argument.
  static var endsWithTanh: Bool { get }
  /// How many packs per unit `update` saves for `backward`, in addition to h and c.
  static var saved: Int { get }
  /// Whether there is a cell state c.
  static var hasCell: Bool { get }
  /// Whether `backward` reads h or hBefore. The weight gradients read h for every body.
  static var readsHidden: Bool { get }
  /// Whether `unitBias` is used.
  static var hasUnitBias: Bool { get }

  /// What the activation functions are applied to.
  ///
  /// - Parameters:
  ///   - d: the drive, per gate
  ///   - a: the recurrent term, per gate
  static func preactivate(d: GatePack<V>, a: GatePack<V>) -> GatePack<V>

  /// Advances the cell state, and returns the number that `update` takes or takes tanh of.
  ///
  /// - Parameters:
  ///   - activated: the packs of `preactivate` after the activation functions
  ///   - c: c_{t-1} on entry, c_t on return
  static func argument(_ activated: GatePack<V>, c: inout V) -> V

  /// The end of a time step.
  ///
  /// - Parameters:
  ///   - activated: as for `argument`
  ///   - value: tanh of the argument if `endsWithTanh`, otherwise the argument
  ///   - h: h_{t-1}
  ///   - unitBias: the body's own bias
  ///   - saved: receives what `backward` needs
  /// - Returns: h_t
  static func update(
    _ activated: GatePack<V>, value: V, h: V, unitBias: V, saved: inout GatePack<V>
  ) -> V

  /// The adjoint of a time step.
  ///
  /// - Parameters:
  ///   - dh: the complete dL/dh_t
  ///   - dc: dL/dc_t from step t+1 on entry, dL/dc_{t-1} on return
  ///   - saved: what `update` saved
  ///   - h: h_t
  ///   - hBefore: h_{t-1}
  ///   - tanhC: tanh c_t, or 0 without a cell state
  ///   - cBefore: c_{t-1}
  /// - Returns: dL/dd and dL/da per gate, the part of dL/dh_{t-1} that does not pass through a,
  ///   and dL/d(unitBias)
  static func backward(
    dh: V, dc: inout V, saved: GatePack<V>, h: V, hBefore: V, tanhC: V, cBefore: V
  ) -> BodyGradient<V>
}

extension BodyFormula {
  /// A whole time step of one unit.
  @inline(__always)
  static func forward(
    d: GatePack<V>, a: GatePack<V>, h: V, c: inout V, unitBias: V, saved: inout GatePack<V>
  ) -> V {
    let z = preactivate(d: d, a: a)
    let activated = GatePack(
      activate(z.g0, 0), activate(z.g1, 1), activate(z.g2, 2), activate(z.g3, 3))
    let x = argument(activated, c: &c)
    return update(
      activated, value: endsWithTanh ? x.hyperbolicTangent : x, h: h, unitBias: unitBias,
      saved: &saved)
  }

  /// The activation of the pack with this index.
  @inline(__always)
  private static func activate(_ z: V, _ index: Int) -> V {
    if index < logistics { return z.logistic }
    return index < logistics + tanhs ? z.hyperbolicTangent : z
  }
}

/// What a body's `backward` returns.
struct BodyGradient<V: Lanes> {
  var dd: GatePack<V>
  var da: GatePack<V>
  var dhBefore: V
  var dUnitBias: V

  @inline(__always)
  init(dd: GatePack<V>, da: GatePack<V>, dhBefore: V, dUnitBias: V) {
    self.dd = dd
    self.da = da
    self.dhBefore = dhBefore
    self.dUnitBias = dUnitBias
  }
}
