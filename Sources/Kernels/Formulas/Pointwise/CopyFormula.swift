// SPDX-License-Identifier: Apache-2.0

/// A copy, as for the gradient of two products that are added.
enum CopyFormula<V: Lanes>: PointwiseFormula {
  static var inputs: Int { 1 }
  static var outputs: Int { 1 }

  @inline(__always)
  static func apply(_ x: Eight<V>) -> Eight<V> { x }
}
