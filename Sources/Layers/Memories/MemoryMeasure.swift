// SPDX-License-Identifier: Apache-2.0

import BLAS

/// How a memory weighs the past: the measure of a HiPPO projection (Gu et al., NeurIPS 2020,
/// appendix D), as its system dm/dt = A m + B u.
///
/// Indices n (row) and k (column) run from 0.
public enum MemoryMeasure: Sendable, Hashable {
  /// The whole past with equal weight, regardless of its length:
  ///
  ///     A_nk = -√(2n + 1) √(2k + 1) for n > k, -(n + 1) for n = k;  B_n = √(2n + 1)
  ///
  /// with dm/dt = (A m + B u) / t.
  case scaledLegendre
  /// A window of the last 1 / Δ steps, in the scaling of the authors' code:
  ///
  ///     A_nk = -√(2n + 1) √(2k + 1) · (1 for n ≥ k, (-1)^(n-k) for n < k);  B_n = √(2n + 1)
  case translatedLegendre
  /// The same window in the scaling of the Legendre memory unit (Voelker, Kajić and Eliasmith,
  /// NeurIPS 2019):
  ///
  ///     A_nk = (2n + 1) · (-1 for n < k, (-1)^(n-k+1) for n ≥ k);  B_n = (2n + 1) (-1)^n
  case legendreUnit
  /// An exponential decay: A_nk = -1 for n > k, -1/2 for n = k;  B_n = 1
  case translatedLaguerre

  /// A [N, N] and B [N].
  package func system(order: Int) -> (a: Matrix, b: [Double]) {
    func root(_ n: Int) -> Double { (2 * Double(n) + 1).squareRoot() }
    func sign(_ n: Int) -> Double { n.isMultiple(of: 2) ? 1 : -1 }
    let orders = 0..<order
    switch self {
    case .scaledLegendre:
      return (
        Matrix(order) { n, k in
          n > k ? -root(n) * root(k) : n == k ? -Double(n + 1) : 0
        }, orders.map(root)
      )
    case .translatedLegendre:
      return (
        Matrix(order) { n, k in -root(n) * root(k) * (n < k ? sign(n - k) : 1) }, orders.map(root)
      )
    case .legendreUnit:
      return (
        Matrix(order) { n, k in Double(2 * n + 1) * (n < k ? -1 : sign(n - k + 1)) },
        orders.map { Double(2 * $0 + 1) * sign($0) }
      )
    case .translatedLaguerre:
      return (
        Matrix(order) { n, k in n > k ? -1 : n == k ? -0.5 : 0 },
        Array(repeating: 1, count: order)
      )
    }
  }
}
