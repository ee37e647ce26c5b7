/// Adds a product of two row-major matrices to a third.
///
///     C = α op(A) op(B) + β C
///
/// op(A) is [m, k], op(B) is [k, n] and C is [m, n]; op(X) is X or, when it is asked for,
/// its transpose. With β = 0 the old content of C is not read.
///
/// - Parameters:
///   - transposeA: whether A is stored as [k, m].
///   - transposeB: whether B is stored as [n, k].
///   - lda: the distance between rows of A as stored, and likewise `ldb` and `ldc`.
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

/// Adds the product of a row-major matrix and a vector to a vector.
///
///     y = α op(A) x + β y
///
/// A is stored as [m, n], also when its transpose is used.
///
/// The corresponding C functions are `cblas_sgemv` and `cblas_dgemv`.
public func gemv<Scalar: BLASScalar>(
  transpose: Bool = false, m: Int, n: Int,
  alpha: Scalar = 1, a: UnsafePointer<Scalar>, lda: Int,
  x: UnsafePointer<Scalar>, incx: Int = 1,
  beta: Scalar = 0, y: UnsafeMutablePointer<Scalar>, incy: Int = 1
) {
  Scalar.gemv(
    transpose, CInt(m), CInt(n), alpha, a, CInt(lda), x, CInt(incx), beta, y, CInt(incy))
}
