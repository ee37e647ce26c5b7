// SPDX-License-Identifier: Apache-2.0

import BLAS

/// Numbers without a pattern, in -0.5 ..< 0.5, the same in every run.
func numbers<Scalar: BLASScalar>(_ count: Int, seed: UInt64) -> [Scalar] {
  var state = seed &* 0x9e37_79b9_7f4a_7c15 | 1
  return (0..<count).map { _ in
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return Scalar(Double(state >> 11) / Double(1 << 53) - 0.5)
  }
}

/// C = α op(A) op(B) + β C, one element after the other.
func naiveProduct<Scalar: BLASScalar>(
  transposeA: Bool, transposeB: Bool, m: Int, n: Int, k: Int, alpha: Scalar,
  a: [Scalar], lda: Int, b: [Scalar], ldb: Int, beta: Scalar, c: [Scalar], ldc: Int
) -> [Scalar] {
  var result = c
  for row in 0..<m {
    for column in 0..<n {
      var sum: Scalar = 0
      for inner in 0..<k {
        let left = transposeA ? a[inner * lda + row] : a[row * lda + inner]
        let right = transposeB ? b[column * ldb + inner] : b[inner * ldb + column]
        sum += left * right
      }
      result[row * ldc + column] = alpha * sum + beta * c[row * ldc + column]
    }
  }
  return result
}

/// The product of two square row-major matrices.
func product(_ a: [Double], _ b: [Double], n: Int) -> [Double] {
  naiveProduct(
    transposeA: false, transposeB: false, m: n, n: n, k: n, alpha: 1, a: a, lda: n, b: b, ldb: n,
    beta: 0, c: [Double](repeating: 0, count: n * n), ldc: n)
}

/// The transpose of a square matrix.
func transposed(_ a: [Double], n: Int) -> [Double] {
  (0..<n * n).map { a[$0 % n * n + $0 / n] }
}

/// The identity matrix.
func identity(_ n: Int) -> [Double] {
  (0..<n * n).map { $0 / n == $0 % n ? 1 : 0 }
}

/// The largest difference of two lists, or infinity if their lengths differ.
func distance<Scalar: BLASScalar>(_ a: [Scalar], _ b: [Scalar]) -> Scalar {
  guard a.count == b.count else { return .infinity }
  var largest: Scalar = 0
  for (x, y) in zip(a, b) where !(abs(x - y) <= largest) {
    largest = x == x && y == y ? abs(x - y) : .infinity
  }
  return largest
}
