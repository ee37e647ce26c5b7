// SPDX-License-Identifier: Apache-2.0

/// The gates of an LSTM in the order f, i, o, g, and its cell state.
///
///     f = σ(z_f),  i = σ(z_i),  o = σ(z_o),  g = tanh z_g
///     c' = f c + i g
enum LSTMGates<V: Lanes>: PointwiseFormula {
  static var inputs: Int { 5 }
  static var outputs: Int { 5 }

  @inline(__always)
  static func apply(_ x: Eight<V>) -> Eight<V> {
    let (f, i, o) = (x.n0.logistic, x.n1.logistic, x.n2.logistic)
    let (g, c) = (x.n3.hyperbolicTangent, x.n4)
    return Eight(f, i, o, g, (i * g).adding(f, times: c))
  }
}

/// The adjoint of `LSTMGates`: takes dc', do of the activated o, f, i, o, g and c; gives df, di,
/// do and dg of the pre-activations, and dc.
enum LSTMGatesAdjoint<V: Lanes>: PointwiseFormula {
  static var inputs: Int { 7 }
  static var outputs: Int { 5 }

  @inline(__always)
  static func apply(_ x: Eight<V>) -> Eight<V> {
    let (dc, dOutput) = (x.n0, x.n1)
    let (f, i, o, g, c) = (x.n2, x.n3, x.n4, x.n5, x.n6)
    let one = V(1)
    return Eight(
      dc * c * (f * (one - f)),
      dc * g * (i * (one - i)),
      dOutput * (o * (one - o)),
      dc * i * (one - g * g),
      dc * f)
  }
}
