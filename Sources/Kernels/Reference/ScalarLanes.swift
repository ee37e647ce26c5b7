// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
  import Glibc
#endif

// In the scalar reference a pack is one number, and its functions are those of the C library.

/// A single number as a pack.
protocol ScalarLanes: Lanes, BinaryFloatingPoint {
  /// e^self
  var exponential: Self { get }
}

extension Float: ScalarLanes {
  @inline(__always) func adding(_ a: Float, times b: Float) -> Float { self + a * b }
  @inline(__always) var absolute: Float { magnitude }
  @inline(__always) var squareRoot: Float { self.squareRoot() }
  @inline(__always) var exponential: Float { expf(self) }
  @inline(__always) var hyperbolicTangent: Float { tanhf(self) }
  @inline(__always) var logistic: Float { 1 / (1 + expf(-self)) }
  @inline(__always) func ifPositive(_ yes: Float, else no: Float) -> Float { self > 0 ? yes : no }
}

extension Double: ScalarLanes {
  @inline(__always) func adding(_ a: Double, times b: Double) -> Double { self + a * b }
  @inline(__always) var absolute: Double { magnitude }
  @inline(__always) var squareRoot: Double { self.squareRoot() }
  @inline(__always) var exponential: Double { exp(self) }
  @inline(__always) var hyperbolicTangent: Double { tanh(self) }
  @inline(__always) var logistic: Double { 1 / (1 + exp(-self)) }
  @inline(__always) func ifPositive(_ yes: Double, else no: Double) -> Double {
    self > 0 ? yes : no
  }
}
