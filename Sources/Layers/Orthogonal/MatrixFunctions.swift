// SPDX-License-Identifier: Apache-2.0

import BLAS

#if canImport(Glibc)
  import Glibc
#endif

/// Functions of a square matrix and their adjoints, in Double for any precision of the model.
package enum MatrixFunctions {
  /// exp(A) by scaling and squaring with the [13/13] Padé approximant (Higham, 2005).
  ///
  /// - Throws: `LAPACKError` if A has an element that is not a number
  package static func exponential<M: MatrixAlgebra>(_ a: M) throws(LAPACKError) -> M {
    let norm = a.oneNorm
    let excess = log2(norm / 5.371920351148152)  // the approximant's largest norm
    let squarings = excess.isFinite && excess > 0 ? Int(excess.rounded(.up)) : 0
    let x = exp2(-Double(squarings)) * a
    let x2 = x * x
    let x4 = x2 * x2
    let x6 = x4 * x2
    let b = padeCoefficients
    let oddHigh = x6 * (b[13] * x6 + b[11] * x4 + b[9] * x2)
    let odd = x * M.addingIdentity(b[1], to: oddHigh + b[7] * x6 + b[5] * x4 + b[3] * x2)
    let evenHigh = x6 * (b[12] * x6 + b[10] * x4 + b[8] * x2)
    let even = M.addingIdentity(b[0], to: evenHigh + b[6] * x6 + b[4] * x4 + b[2] * x2)
    var result = try M.solve(even - odd, even + odd)
    for _ in 0..<squarings { result = result * result }
    return result
  }

  /// The numerator of the [13/13] approximant, from the constant term up.
  private static let padeCoefficients: [Double] = [
    64_764_752_532_480_000, 32_382_376_266_240_000, 7_771_770_303_897_600, 1_187_353_796_428_800,
    129_060_195_264_000, 10_559_470_521_600, 670_442_572_800, 33_522_128_640, 1_323_241_920,
    40_840_800, 960_960, 16_380, 182, 1,
  ]

  /// dL/dA of L(exp(A)) with G = dL/d exp(A): the derivative of exp at Aᵀ in the direction G.
  package static func exponentialAdjoint(
    at a: Matrix, gradient g: Matrix
  ) throws(LAPACKError) -> Matrix {
    // At zero, as in every step of a DTRIV with K = 1, the derivative of exp is the identity.
    if a.oneNorm == 0 { return g }
    return try exponential(DualMatrix(value: a.transposed, derivative: g)).derivative
  }

  /// The Cayley transform Y = (I + A)⁻¹ (I - A).
  package static func cayley(_ a: Matrix) throws(LAPACKError) -> Matrix {
    try Matrix.solve(
      .addingIdentity(1, to: a), .addingIdentity(1, to: -1 * a))
  }

  /// dL/dA of L(Y), with G = dL/dY: -(I + A)⁻ᵀ G (I + Y)ᵀ.
  package static func cayleyAdjoint(
    at a: Matrix, gradient g: Matrix
  ) throws(LAPACKError) -> Matrix {
    let y = try cayley(a)
    let solved = try Matrix.solve(Matrix.addingIdentity(1, to: a).transposed, g)
    return -1 * (solved * Matrix.addingIdentity(1, to: y).transposed)
  }

  /// The orthogonal matrix nearest to A, U Vᵀ of its singular value decomposition.
  package static func nearestOrthogonal(_ a: Matrix) throws(LAPACKError) -> Matrix {
    let (u, _, vt) = try singularValueDecomposition(a.values.array, n: a.n)
    return Matrix(.init(u, shape: [a.n, a.n])) * Matrix(.init(vt, shape: [a.n, a.n]))
  }

  /// triu(A, 1) - triu(A, 1)ᵀ: the skew matrix that a stored matrix represents. The diagonal and
  /// the part below it are ignored.
  package static func skew(_ a: Matrix) -> Matrix {
    let all = a.values.array
    return Matrix(a.n) { row, column in
      row < column ? all[row * a.n + column] : row > column ? -all[column * a.n + row] : 0
    }
  }

  /// The adjoint of `skew`: triu(G - Gᵀ, 1).
  package static func skewAdjoint(_ g: Matrix) -> Matrix {
    let all = g.values.array
    return Matrix(g.n) { row, column in
      row < column ? all[row * g.n + column] - all[column * g.n + row] : 0
    }
  }
}
