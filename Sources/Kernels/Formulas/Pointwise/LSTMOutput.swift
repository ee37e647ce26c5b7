// SPDX-License-Identifier: Apache-2.0

/// The output of an LSTM for a cell state n, normalised or not.
///
///     t = tanh n,  h = o t
enum LSTMOutput<V: Lanes>: PointwiseFormula {
  static var inputs: Int { 2 }
  static var outputs: Int { 2 }

  @inline(__always)
  static func apply(_ x: Eight<V>) -> Eight<V> {
    let (o, t) = (x.n0, x.n1.hyperbolicTangent)
    return Eight(o * t, t)
  }
}

/// The adjoint of `LSTMOutput`: takes dh, o and t; gives do of the activated o, and dn.
enum LSTMOutputAdjoint<V: Lanes>: PointwiseFormula {
  static var inputs: Int { 3 }
  static var outputs: Int { 2 }

  @inline(__always)
  static func apply(_ x: Eight<V>) -> Eight<V> {
    let (dh, o, t) = (x.n0, x.n1, x.n2)
    return Eight(dh * t, dh * o * (V(1) - t * t))
  }
}
