/// Adds a multiple of a vector of `n` elements to another, y = α x + y.
///
/// The corresponding C functions are `cblas_saxpy` and `cblas_daxpy`.
public func axpy<Scalar: BLASScalar>(
  n: Int, alpha: Scalar, x: UnsafePointer<Scalar>, incx: Int = 1,
  y: UnsafeMutablePointer<Scalar>, incy: Int = 1
) {
  Scalar.axpy(CInt(n), alpha, x, CInt(incx), y, CInt(incy))
}

/// Returns the inner product of two vectors of `n` elements.
///
/// The corresponding C functions are `cblas_sdot` and `cblas_ddot`.
public func dot<Scalar: BLASScalar>(
  n: Int, x: UnsafePointer<Scalar>, incx: Int = 1, y: UnsafePointer<Scalar>, incy: Int = 1
) -> Scalar {
  Scalar.dot(CInt(n), x, CInt(incx), y, CInt(incy))
}
