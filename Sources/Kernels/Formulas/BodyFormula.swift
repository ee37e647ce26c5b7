// SPDX-License-Identifier: Apache-2.0

/// The state update of a body, unit by unit.
///
/// To add a body: a file in the folder `Bodies`, a case of `BodyKind`, and a line in
/// `FormulaDispatch.swift`.
protocol BodyFormula {
  associatedtype V: Lanes

  /// G, the number of packs of a `GatePack` that are used.
  static var gates: Int { get }
  /// How many packs `activate` returns.
  static var activations: Int { get }
  /// How many packs per unit `update` saves for `backward`, in addition to h and c.
  static var saved: Int { get }
  /// Whether there is a cell state c.
  static var hasCell: Bool { get }
  /// Whether `unitBias` is used.
  static var hasUnitBias: Bool { get }

  /// The first half of a time step of one unit, which depends neither on h nor on c.
  ///
  /// A whole time step is one chain of dependent operations, which is longer than a processor's
  /// reorder window. With two halves, the computations of several units overlap.
  ///
  /// - Parameters:
  ///   - d: the drive, per gate
  ///   - a: the recurrent term, per gate
  static func activate(d: GatePack<V>, a: GatePack<V>) -> GatePack<V>

  /// The second half.
  ///
  /// - Parameters:
  ///   - activated: what `activate` returned
  ///   - h: h_{t-1}
  ///   - c: c_{t-1} on entry, c_t on return
  ///   - unitBias: the body's own bias
  ///   - saved: receives what `backward` needs
  /// - Returns: h_t
  static func update(
    _ activated: GatePack<V>, h: V, c: inout V, unitBias: V, saved: inout GatePack<V>
  ) -> V

  /// The adjoint of both halves.
  ///
  /// - Parameters:
  ///   - dh: the complete dL/dh_t
  ///   - dc: dL/dc_t from step t+1 on entry, dL/dc_{t-1} on return
  ///   - saved: what `update` saved
  ///   - h: h_t
  ///   - hBefore: h_{t-1}
  ///   - c: c_t
  ///   - cBefore: c_{t-1}
  /// - Returns: dL/dd and dL/da per gate, the part of dL/dh_{t-1} that does not pass through a,
  ///   and dL/d(unitBias)
  static func backward(
    dh: V, dc: inout V, saved: GatePack<V>, h: V, hBefore: V, c: V, cBefore: V
  ) -> BodyGradient<V>
}

extension BodyFormula {
  /// A whole time step of one unit.
  @inline(__always)
  static func forward(
    d: GatePack<V>, a: GatePack<V>, h: V, c: inout V, unitBias: V, saved: inout GatePack<V>
  ) -> V {
    update(activate(d: d, a: a), h: h, c: &c, unitBias: unitBias, saved: &saved)
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
