// SPDX-License-Identifier: Apache-2.0

import BLAS
import KernelInterface
import Tensors

/// C = α op(A) op(B) + β C, row-major.
///
/// OpenBLAS computes it on one thread. Its bits may depend on the shape, so call it with shapes
/// that depend on shards, never on ranks.
///
/// - Parameters:
///   - a: [m, k], or [k, m] if `transposeA`
///   - transposeA: whether A is stored transposed
///   - b: [k, n], or [n, k] if `transposeB`
///   - transposeB: whether B is stored transposed
///   - alpha: α
///   - c: [m, n]
///   - beta: β, the factor of the existing C
public func matrixProduct<Scalar: KernelScalar>(
  _ a: Tensor<Scalar>, transposeA: Bool = false, _ b: Tensor<Scalar>, transposeB: Bool = false,
  scale alpha: Scalar = 1, into c: Tensor<Scalar>, keeping beta: Scalar = 0
) {
  let (m, k) = transposeA ? (a.shape[1], a.shape[0]) : (a.shape[0], a.shape[1])
  let (kB, n) = transposeB ? (b.shape[1], b.shape[0]) : (b.shape[0], b.shape[1])
  precondition(
    k == kB && c.shape == [m, n], "\(a.shape) times \(b.shape) does not give \(c.shape)")
  guard m > 0, n > 0 else { return }
  gemm(
    transposeA: transposeA, transposeB: transposeB, m: m, n: n, k: k, alpha: alpha,
    a: UnsafePointer(a.pointer), lda: max(a.shape[1], 1), b: UnsafePointer(b.pointer),
    ldb: max(b.shape[1], 1), beta: beta, c: c.pointer, ldc: n)
}

extension Tensor where Scalar: KernelScalar {
  /// Adds `row` [n] to every row of a matrix [m, n].
  @specialized(where Scalar == Float)
  public func addToEachRow(_ row: Tensor) {
    let n = row.count
    precondition(n > 0 && count % n == 0, "a row of \(n) does not fit \(shape)")
    for start in stride(from: 0, to: count, by: n) {
      for j in 0..<n { pointer[start + j] += row.pointer[j] }
    }
  }

  /// Adds the sum over the rows of `matrix` [m, n] to this row [n], from the first row to the
  /// last.
  public func addColumnSums(of matrix: Tensor) {
    let n = count
    precondition(n > 0 && matrix.count % n == 0, "\(matrix.shape) has no rows of \(n)")
    Scalar.kernels(on: .current).addColumnSums(
      ColumnSumsCall(
        rows: matrix.count / n, columns: n, source: UnsafePointer(matrix.pointer), sums: pointer))
  }
}
