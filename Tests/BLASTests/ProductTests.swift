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

  @Test(arguments: [(1, 1), (1, 6), (6, 1), (13, 29)])
  func matrixVector(m: Int, n: Int) {
    checkGemv(Float.self, m, n, tolerance: 2e-6)
    checkGemv(Double.self, m, n, tolerance: 1e-14)
  }

  func checkGemv<Scalar: BLASScalar>(
    _ type: Scalar.Type, _ m: Int, _ n: Int, tolerance: Scalar
  ) {
    for transpose in [false, true] {
      let (rows, columns) = transpose ? (n, m) : (m, n)
      let a: [Scalar] = numbers(m * (n + 1), seed: 4)
      let x: [Scalar] = numbers(columns, seed: 5)
      let y: [Scalar] = numbers(rows, seed: 6)
      var found = y
      gemv(transpose: transpose, m: m, n: n, alpha: 2, a: a, lda: n + 1, x: x, beta: 3, y: &found)
      let expected = naiveProduct(
        transposeA: transpose, transposeB: false, m: rows, n: 1, k: columns,
        alpha: 2, a: a, lda: n + 1, b: x, ldb: 1, beta: 3, c: y, ldc: 1)
      #expect(distance(found, expected) < tolerance, "\(type) \(transpose)")
    }
  }

  @Test(arguments: [0, 1, 7, 1000])
  func vectors(n: Int) {
    checkVectors(Float.self, n, tolerance: 2e-5)
    checkVectors(Double.self, n, tolerance: 1e-13)
  }

  func checkVectors<Scalar: BLASScalar>(_ type: Scalar.Type, _ n: Int, tolerance: Scalar) {
    let x: [Scalar] = numbers(n + 1, seed: 7)
    let y: [Scalar] = numbers(2 * n + 1, seed: 8)
    let sum = (0..<n).reduce(0) { $0 + x[$1] * y[2 * $1] }
    #expect(abs(dot(n: n, x: x, y: y, incy: 2) - sum) < tolerance)

    var found = y
    axpy(n: n, alpha: -3, x: x, y: &found, incy: 2)
    var expected = y
    for index in 0..<n { expected[2 * index] += -3 * x[index] }
    #expect(distance(found, expected) < tolerance)
  }
}
