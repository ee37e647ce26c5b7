// SPDX-License-Identifier: Apache-2.0

import BLAS
import Testing

@Suite struct ProductTests {
  @Test(arguments: [(1, 1, 1), (1, 5, 3), (4, 1, 7), (5, 3, 1), (17, 33, 9), (64, 48, 40)])
  func matrixMatrix(m: Int, n: Int, k: Int) {
    checkGemm(Float.self, m, n, k, tolerance: 2e-6)
    checkGemm(Double.self, m, n, k, tolerance: 1e-14)
  }

  func checkGemm<Scalar: BLASScalar>(
    _ type: Scalar.Type, _ m: Int, _ n: Int, _ k: Int, tolerance: Scalar
  ) {
    for (transposeA, transposeB) in [(false, false), (false, true), (true, false), (true, true)] {
      // Rows are further apart than they are long.
      let lda = (transposeA ? m : k) + 2
      let ldb = (transposeB ? k : n) + 1
      let ldc = n + 3
      let a: [Scalar] = numbers((transposeA ? k : m) * lda, seed: 1)
      let b: [Scalar] = numbers((transposeB ? n : k) * ldb, seed: 2)
      let c: [Scalar] = numbers(m * ldc, seed: 3)
      var found = c
      gemm(
        transposeA: transposeA, transposeB: transposeB, m: m, n: n, k: k,
        alpha: 1.5, a: a, lda: lda, b: b, ldb: ldb, beta: -0.5, c: &found, ldc: ldc)
      let expected = naiveProduct(
        transposeA: transposeA, transposeB: transposeB, m: m, n: n, k: k,
        alpha: 1.5, a: a, lda: lda, b: b, ldb: ldb, beta: -0.5, c: c, ldc: ldc)
      #expect(distance(found, expected) < tolerance, "\(type) \(transposeA) \(transposeB)")
    }
  }

  @Test func defaultsOverwrite() {
    var c: [Float] = [.nan, .nan]
    gemm(m: 1, n: 2, k: 2, a: [1, 2], lda: 2, b: [3, 4, 5, 6], ldb: 2, c: &c, ldc: 2)
    #expect(c == [13, 16])
  }
}
