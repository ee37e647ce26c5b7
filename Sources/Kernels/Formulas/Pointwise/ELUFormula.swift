// SPDX-License-Identifier: Apache-2.0

/// The exponential linear unit (Clevert, Unterthiner and Hochreiter, 2016).
///
///     y = z if z > 0, and exp(z) - 1 otherwise
enum ELUFormula<V: Lanes>: PointwiseFormula {
  static var inputs: Int { 1 }
  static var outputs: Int { 1 }

  @inline(__always)
  static func apply(_ x: Eight<V>) -> Eight<V> { Eight(x.n0.exponentialLinear) }
}

/// The adjoint of `ELUFormula`: takes dy and y; gives dz.
enum ELUAdjoint<V: Lanes>: PointwiseFormula {
  static var inputs: Int { 2 }
  static var outputs: Int { 1 }

  @inline(__always)
  static func apply(_ x: Eight<V>) -> Eight<V> { Eight(x.n0 * x.n1.exponentialLinearSlope) }
}

extension Lanes {
  /// ELU(self). It uses exp(z) - 1 = 2 t / (1 - t) with t = tanh(z / 2), which is accurate near
  /// zero.
  @inline(__always)
  var exponentialLinear: Self {
    let t = (self * Self(0.5)).hyperbolicTangent
    return ifPositive(self, else: (t + t) / (Self(1) - t))
  }

  /// The derivative of ELU as a function of its value.
  @inline(__always)
  var exponentialLinearSlope: Self { ifPositive(Self(1), else: self + Self(1)) }
}
