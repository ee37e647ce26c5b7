// SPDX-License-Identifier: Apache-2.0

/// a + b; its adjoint is a copy.
enum SumFormula<V: Lanes>: PointwiseFormula {
  static var inputs: Int { 2 }
  static var outputs: Int { 1 }

  @inline(__always)
  static func apply(_ x: Eight<V>) -> Eight<V> { Eight(x.n0 + x.n1) }
}
