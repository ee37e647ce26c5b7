// SPDX-License-Identifier: Apache-2.0

/// A pack of numbers, for which the equations of drives and bodies are written once.
///
/// The scalar reference runs them with `Float` or `Double` as the pack, the SIMD kernels with a
/// vector register. This folder is compiled into every kernel module, so each has its own copy in
/// its own instruction set; nothing here may be public.
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

/// One pack per gate of a unit: i, f, g, o for an LSTM; r, z, n for a GRU; a body with one block
/// of rows uses only the first.
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
