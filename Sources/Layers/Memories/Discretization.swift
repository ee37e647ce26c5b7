// SPDX-License-Identifier: Apache-2.0

import BLAS

/// How dm/dt = A m + B u becomes m' = Ā m + B̄ u over a step Δ.
public enum Discretization: String, Sendable, Hashable, CaseIterable {
  /// Ā = I + ΔA, B̄ = ΔB
  case forward
  /// Ā = (I - ΔA)⁻¹, B̄ = (I - ΔA)⁻¹ ΔB
  case backward
  /// Ā = (I - ΔA/2)⁻¹ (I + ΔA/2), B̄ = (I - ΔA/2)⁻¹ ΔB
  case bilinear
  /// The input holds over the step: Ā = exp(ΔA), B̄ = A⁻¹ (Ā - I) B
  case zeroOrderHold = "zoh"

  /// The share of the new memory in the mean that is differentiated; nil for the hold, which has no
  /// such mean.
  package var newShare: Double? {
    switch self {
    case .forward: 0
    case .backward: 1
    case .bilinear: 0.5
    case .zeroOrderHold: nil
    }
  }

  /// Ā [N, N] and B̄ [N], in Double.
  ///
  /// - Parameter step: Δ
  /// - Throws: `LAPACKError` if a matrix cannot be inverted
  package func discretize(
    _ a: Matrix, _ b: [Double], step: Double
  ) throws(LAPACKError) -> (a: Matrix, b: [Double]) {
    let n = a.n
    // With B as the last column of the system, one matrix gives both.
    let whole = Matrix(n + 1) { row, column in
      row == n ? 0 : step * (column == n ? b[row] : a[row, column])
    }
    let result: Matrix
    if let share = newShare {
      result = try Matrix.solve(
        .addingIdentity(1, to: -share * whole), .addingIdentity(1, to: (1 - share) * whole))
    } else {
      result = try MatrixFunctions.exponential(whole)
    }
    return (Matrix(n) { result[$0, $1] }, (0..<n).map { result[$0, n] })
  }
}
