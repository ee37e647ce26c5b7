// SPDX-License-Identifier: Apache-2.0

internal import COpenBLAS

/// A type that BLAS computes with.
///
/// The free functions of this module call its requirements. Matrices are row-major.
public protocol BLASScalar: BinaryFloatingPoint, BitwiseCopyable, Sendable {
  /// C = α op(A) op(B) + β C.
  static func gemm(
    _ transposeA: Bool, _ transposeB: Bool, _ m: CInt, _ n: CInt, _ k: CInt,
    _ alpha: Self, _ a: UnsafePointer<Self>, _ lda: CInt, _ b: UnsafePointer<Self>, _ ldb: CInt,
    _ beta: Self, _ c: UnsafeMutablePointer<Self>, _ ldc: CInt)
}

/// Returns the CBLAS constant that tells whether a matrix is transposed.
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
}
