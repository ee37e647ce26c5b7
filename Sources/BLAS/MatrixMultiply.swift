// SPDX-License-Identifier: Apache-2.0

/// Adds a product of two row-major matrices to a third.
///
///     C = α op(A) op(B) + β C
///
/// op(A) is [m, k], op(B) is [k, n] and C is [m, n]; op(X) is X or its transpose. With β = 0 the
/// old content of C is not read.
///
/// - Parameters:
///   - transposeA: whether A is stored as [k, m].
///   - transposeB: whether B is stored as [n, k].
///   - m: the rows of C
///   - n: the columns of C
///   - k: the columns of op(A)
///   - alpha: α
///   - a: A
///   - lda: the distance between rows of A as stored
///   - b: B
///   - ldb: the distance between rows of B as stored
///   - beta: β
///   - c: C
///   - ldc: the distance between rows of C
///
/// The corresponding C functions are `cblas_sgemm` and `cblas_dgemm`.
public func gemm<Scalar: BLASScalar>(
  transposeA: Bool = false, transposeB: Bool = false, m: Int, n: Int, k: Int,
  alpha: Scalar = 1, a: UnsafePointer<Scalar>, lda: Int, b: UnsafePointer<Scalar>, ldb: Int,
  beta: Scalar = 0, c: UnsafeMutablePointer<Scalar>, ldc: Int
) {
  Scalar.gemm(
    transposeA, transposeB, CInt(m), CInt(n), CInt(k),
    alpha, a, CInt(lda), b, CInt(ldb), beta, c, CInt(ldc))
}
