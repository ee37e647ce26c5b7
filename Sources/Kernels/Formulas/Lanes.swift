// SPDX-License-Identifier: Apache-2.0

/// A pack of numbers. The equations of drives and bodies are written once, for any pack.
///
/// In the scalar reference the pack is a `Float` or a `Double`, and in the SIMD kernels it is a
/// vector register. This folder is compiled into every kernel module, so each module has a copy in
/// its own instruction set. Nothing here may be public.
protocol Lanes {
  /// A pack that holds `constant` in every lane.
  init(_ constant: Double)

  static func + (a: Self, b: Self) -> Self
  static func - (a: Self, b: Self) -> Self
  static func * (a: Self, b: Self) -> Self
  static func / (a: Self, b: Self) -> Self

  /// `self + a * b`, fused if the instruction set supports it.
  func adding(_ a: Self, times b: Self) -> Self

  /// |self|
  var absolute: Self { get }
  /// √self
  var squareRoot: Self { get }
  /// tanh(self)
  var hyperbolicTangent: Self { get }
  /// σ(self) = 1 / (1 + exp(-self))
  var logistic: Self { get }

  /// `yes` in the lanes where `self > 0`, `no` elsewhere.
  func ifPositive(_ yes: Self, else no: Self) -> Self
}

/// Up to four packs of a unit, usually one per gate: i, f, g, o for an LSTM, and r, z, n for a GRU. A
/// body with a single gate uses only the first pack. Activations have the order of `preactivate`.
struct GatePack<V: Lanes> {
  var g0: V
  var g1: V
  var g2: V
  var g3: V

  @inline(__always)
  init(_ g0: V, _ g1: V, _ g2: V, _ g3: V) {
    self.g0 = g0
    self.g1 = g1
    self.g2 = g2
    self.g3 = g3
  }

  @inline(__always)
  init(first: V) {
    self.init(first, V(0), V(0), V(0))
  }
}
