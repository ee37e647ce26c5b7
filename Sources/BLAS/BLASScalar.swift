internal import COpenBLAS

/// A type that BLAS computes with.
///
/// The requirements are what the free functions of this module call; matrices are
/// row-major.
public protocol BLASScalar: BinaryFloatingPoint, BitwiseCopyable, Sendable {
  /// C = α op(A) op(B) + β C.
  static func gemm(
    _ transposeA: Bool, _ transposeB: Bool, _ m: CInt, _ n: CInt, _ k: CInt,
    _ alpha: Self, _ a: UnsafePointer<Self>, _ lda: CInt, _ b: UnsafePointer<Self>, _ ldb: CInt,
    _ beta: Self, _ c: UnsafeMutablePointer<Self>, _ ldc: CInt)

  /// y = α op(A) x + β y.
  static func gemv(
    _ transpose: Bool, _ m: CInt, _ n: CInt, _ alpha: Self, _ a: UnsafePointer<Self>,
    _ lda: CInt, _ x: UnsafePointer<Self>, _ incx: CInt,
    _ beta: Self, _ y: UnsafeMutablePointer<Self>, _ incy: CInt)

  /// y = α x + y.
  static func axpy(
    _ n: CInt, _ alpha: Self, _ x: UnsafePointer<Self>, _ incx: CInt,
    _ y: UnsafeMutablePointer<Self>, _ incy: CInt)

  /// xᵀ y.
  static func dot(
    _ n: CInt, _ x: UnsafePointer<Self>, _ incx: CInt, _ y: UnsafePointer<Self>, _ incy: CInt
  ) -> Self
}

/// The CBLAS constant for a matrix that is transposed or not.
private func operation(_ transpose: Bool) -> CBLAS_TRANSPOSE {
  transpose ? CblasTrans : CblasNoTrans
}

extension Float: BLASScalar {
  /// The corresponding C function is `cblas_sgemm`.
  public static func gemm(
    _ transposeA: Bool, _ transposeB: Bool, _ m: CInt, _ n: CInt, _ k: CInt,
    _ alpha: Float, _ a: UnsafePointer<Float>, _ lda: CInt, _ b: UnsafePointer<Float>, _ ldb: CInt,
    _ beta: Float, _ c: UnsafeMutablePointer<Float>, _ ldc: CInt
  ) {
    cblas_sgemm(
      CblasRowMajor, operation(transposeA), operation(transposeB), m, n, k,
      alpha, a, lda, b, ldb, beta, c, ldc)
  }

  /// The corresponding C function is `cblas_sgemv`.
  public static func gemv(
    _ transpose: Bool, _ m: CInt, _ n: CInt, _ alpha: Float, _ a: UnsafePointer<Float>,
    _ lda: CInt, _ x: UnsafePointer<Float>, _ incx: CInt,
    _ beta: Float, _ y: UnsafeMutablePointer<Float>, _ incy: CInt
  ) {
    cblas_sgemv(CblasRowMajor, operation(transpose), m, n, alpha, a, lda, x, incx, beta, y, incy)
  }

  /// The corresponding C function is `cblas_saxpy`.
  public static func axpy(
    _ n: CInt, _ alpha: Float, _ x: UnsafePointer<Float>, _ incx: CInt,
    _ y: UnsafeMutablePointer<Float>, _ incy: CInt
  ) {
    cblas_saxpy(n, alpha, x, incx, y, incy)
  }

  /// The corresponding C function is `cblas_sdot`.
  public static func dot(
    _ n: CInt, _ x: UnsafePointer<Float>, _ incx: CInt, _ y: UnsafePointer<Float>, _ incy: CInt
  ) -> Float {
    cblas_sdot(n, x, incx, y, incy)
  }
}

extension Double: BLASScalar {
  /// The corresponding C function is `cblas_dgemm`.
  public static func gemm(
    _ transposeA: Bool, _ transposeB: Bool, _ m: CInt, _ n: CInt, _ k: CInt,
    _ alpha: Double, _ a: UnsafePointer<Double>, _ lda: CInt, _ b: UnsafePointer<Double>,
    _ ldb: CInt,
    _ beta: Double, _ c: UnsafeMutablePointer<Double>, _ ldc: CInt
  ) {
    cblas_dgemm(
      CblasRowMajor, operation(transposeA), operation(transposeB), m, n, k,
      alpha, a, lda, b, ldb, beta, c, ldc)
  }

  /// The corresponding C function is `cblas_dgemv`.
  public static func gemv(
    _ transpose: Bool, _ m: CInt, _ n: CInt, _ alpha: Double, _ a: UnsafePointer<Double>,
    _ lda: CInt, _ x: UnsafePointer<Double>, _ incx: CInt,
    _ beta: Double, _ y: UnsafeMutablePointer<Double>, _ incy: CInt
  ) {
    cblas_dgemv(CblasRowMajor, operation(transpose), m, n, alpha, a, lda, x, incx, beta, y, incy)
  }

  /// The corresponding C function is `cblas_daxpy`.
  public static func axpy(
    _ n: CInt, _ alpha: Double, _ x: UnsafePointer<Double>, _ incx: CInt,
    _ y: UnsafeMutablePointer<Double>, _ incy: CInt
  ) {
    cblas_daxpy(n, alpha, x, incx, y, incy)
  }

  /// The corresponding C function is `cblas_ddot`.
  public static func dot(
    _ n: CInt, _ x: UnsafePointer<Double>, _ incx: CInt, _ y: UnsafePointer<Double>, _ incy: CInt
  ) -> Double {
    cblas_ddot(n, x, incx, y, incy)
  }
}
