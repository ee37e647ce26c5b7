// SPDX-License-Identifier: Apache-2.0

import BLAS
import Testing

@Suite struct LinearAlgebraTests {
  @Test func smallSystem() throws {
    // x + 2y = 5 and 3x + 4y = 11, and a second right-hand side.
    let x = try solve([1, 2, 3, 4], [5, 1, 11, 3], n: 2, columns: 2)
    #expect(distance(x, [1, 1, 2, 0]) < 1e-14)
    #expect(try solve([4], [2], n: 1) == [0.5])
    #expect(try solve([], [], n: 0) == [])
  }

  @Test(arguments: [(1, 3), (5, 1), (20, 7)])
  func systemIsSolved(n: Int, columns: Int) throws {
    let a: [Double] = numbers(n * n, seed: 11)
    let b: [Double] = numbers(n * columns, seed: 12)
    let x = try solve(a, b, n: n, columns: columns)
    let back = naiveProduct(
      transposeA: false, transposeB: false, m: n, n: columns, k: n, alpha: 1,
      a: a, lda: n, b: x, ldb: columns, beta: 0, c: b, ldc: columns)
    #expect(distance(back, b) < 1e-11)
  }

  @Test func singularSystemIsRefused() {
    #expect(throws: LAPACKError.singular(column: 1)) {
      try solve([1, 2, 2, 4], [1, 1], n: 2)
    }
  }

  @Test(arguments: [1, 2, 9, 30])
  func factorsMultiplyToTheMatrix(n: Int) throws {
    let a: [Double] = numbers(n * n, seed: 13)
    let (u, s, vt) = try singularValueDecomposition(a, n: n)
    #expect(distance(product(u, transposed(u, n: n), n: n), identity(n)) < 1e-13)
    #expect(distance(product(vt, transposed(vt, n: n), n: n), identity(n)) < 1e-13)
    #expect(s == s.sorted(by: >) && s.allSatisfy { $0 >= 0 })
    let scaled = (0..<n * n).map { s[$0 / n] * vt[$0] }
    #expect(distance(product(u, scaled, n: n), a) < 1e-13)
  }

  @Test func knownSingularValues() throws {
    // A permutation of diag(3, -2): its singular values are known, and A is not symmetric.
    let (u, s, vt) = try singularValueDecomposition([0, 3, -2, 0], n: 2)
    #expect(distance(s, [3, 2]) < 1e-15)
    #expect(abs(abs(u[0]) - 1) < 1e-15 && abs(abs(vt[1]) - 1) < 1e-15)
    #expect(u[0] * vt[1] > 0 && u[3] * vt[2] < 0)
  }

  @Test func notANumberIsRefused() {
    #expect(throws: LAPACKError.invalidArgument(routine: "dgesdd", position: 4)) {
      try singularValueDecomposition([1, .nan, 0, 1], n: 2)
    }
  }

  @Test func library() {
    OpenBLAS.setThreads(1)
    #expect(OpenBLAS.threads == 1)
    #expect(OpenBLAS.version.contains("OpenBLAS"))
    #expect(!OpenBLAS.coreName.isEmpty)
  }
}
