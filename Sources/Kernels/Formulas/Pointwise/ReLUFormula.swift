// SPDX-License-Identifier: Apache-2.0

/// The rectified linear unit: y = max(z, 0).
enum ReLUFormula<V: Lanes>: PointwiseFormula {
  static var inputs: Int { 1 }
  static var outputs: Int { 1 }

  @inline(__always)
  static func apply(_ x: Eight<V>) -> Eight<V> { Eight(x.n0.ifPositive(x.n0, else: V(0))) }
}

/// The adjoint of `ReLUFormula`: takes dy and y; gives dz.
enum ReLUAdjoint<V: Lanes>: PointwiseFormula {
  static var inputs: Int { 2 }
  static var outputs: Int { 1 }

  @inline(__always)
  static func apply(_ x: Eight<V>) -> Eight<V> { Eight(x.n1.ifPositive(x.n0, else: V(0))) }
}
