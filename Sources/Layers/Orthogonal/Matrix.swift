// SPDX-License-Identifier: Apache-2.0

import BLAS
import Kernels
import Tensors

/// The operations that rational functions of matrices use, on plain matrices and on matrices with a
/// derivative.
package protocol MatrixAlgebra {
  /// The sum, element by element.
  static func + (a: Self, b: Self) -> Self
  /// The difference, element by element.
  static func - (a: Self, b: Self) -> Self
  /// The matrix product.
  static func * (a: Self, b: Self) -> Self
  /// The multiple, element by element.
  static func * (factor: Double, a: Self) -> Self
  /// a + factor · I
  static func addingIdentity(_ factor: Double, to a: Self) -> Self
  /// a⁻¹ b
  static func solve(_ a: Self, _ b: Self) throws(LAPACKError) -> Self
  /// The largest sum of magnitudes of a column, of the value only.
  var oneNorm: Double { get }
}

/// A square matrix of Doubles.
package struct Matrix: MatrixAlgebra {
  /// The number of rows and of columns.
  package let n: Int
  /// The elements by rows, [n, n].
  package let values: Tensor<Double>

  /// Shares the memory of a tensor [n, n].
  package init(_ values: Tensor<Double>) {
    precondition(
      values.shape.count == 2 && values.shape[0] == values.shape[1],
      "\(values.shape) is not square")
    n = values.shape[0]
    self.values = values
  }

  /// The matrix whose element in row i and column j is `element(i, j)`.
  package init(_ n: Int, _ element: (Int, Int) -> Double) {
    self.n = n
    values = Tensor((0..<n * n).map { element($0 / n, $0 % n) }, shape: [n, n])
  }

  /// I, with n rows.
  package static func identity(_ n: Int) -> Matrix {
    Matrix(n) { $0 == $1 ? 1 : 0 }
  }

  /// The element of a row and a column, both from 0.
  package subscript(row: Int, column: Int) -> Double { values[row * n + column] }

  /// Aᵀ, a copy.
  package var transposed: Matrix {
    let old = values.array
    return Matrix(n) { old[$1 * n + $0] }
  }

  private func map(_ other: Matrix, _ operation: (Double, Double) -> Double) -> Matrix {
    Matrix(Tensor(zip(values.array, other.values.array).map(operation), shape: [n, n]))
  }

  package static func + (a: Matrix, b: Matrix) -> Matrix { a.map(b, +) }
  package static func - (a: Matrix, b: Matrix) -> Matrix { a.map(b, -) }

  package static func * (a: Matrix, b: Matrix) -> Matrix {
    let product = Tensor<Double>(shape: [a.n, a.n])
    matrixProduct(a.values, b.values, into: product)
    return Matrix(product)
  }

  package static func * (factor: Double, a: Matrix) -> Matrix {
    Matrix(Tensor(a.values.array.map { factor * $0 }, shape: [a.n, a.n]))
  }

  package static func addingIdentity(_ factor: Double, to a: Matrix) -> Matrix {
    let result = a.values.copy()
    for index in 0..<a.n { result[index * (a.n + 1)] += factor }
    return Matrix(result)
  }

  package static func solve(_ a: Matrix, _ b: Matrix) throws(LAPACKError) -> Matrix {
    let solution = try BLAS.solve(a.values.array, b.values.array, n: a.n, columns: a.n)
    return Matrix(Tensor(solution, shape: [a.n, a.n]))
  }

  package var oneNorm: Double {
    let all = values.array
    return (0..<n).map { column in
      (0..<n).reduce(0) { $0 + abs(all[$1 * n + column]) }
    }.max() ?? 0
  }
}

/// A matrix A with a direction E: arithmetic on such pairs carries the derivative along E.
///
///     (A, E) (B, F) = (A B, A F + E B)
///
/// It is the algebra of the block matrices [[A, E], [0, A]], with three products instead of eight.
package struct DualMatrix: MatrixAlgebra {
  /// A
  package let value: Matrix
  /// E, the derivative of A in one direction.
  package let derivative: Matrix

  package init(value: Matrix, derivative: Matrix) {
    self.value = value
    self.derivative = derivative
  }

  package static func + (a: DualMatrix, b: DualMatrix) -> DualMatrix {
    DualMatrix(value: a.value + b.value, derivative: a.derivative + b.derivative)
  }

  package static func - (a: DualMatrix, b: DualMatrix) -> DualMatrix {
    DualMatrix(value: a.value - b.value, derivative: a.derivative - b.derivative)
  }

  package static func * (a: DualMatrix, b: DualMatrix) -> DualMatrix {
    DualMatrix(
      value: a.value * b.value,
      derivative: a.value * b.derivative + a.derivative * b.value)
  }

  package static func * (factor: Double, a: DualMatrix) -> DualMatrix {
    DualMatrix(value: factor * a.value, derivative: factor * a.derivative)
  }

  package static func addingIdentity(_ factor: Double, to a: DualMatrix) -> DualMatrix {
    DualMatrix(value: .addingIdentity(factor, to: a.value), derivative: a.derivative)
  }

  package static func solve(_ a: DualMatrix, _ b: DualMatrix) throws(LAPACKError) -> DualMatrix {
    let value = try Matrix.solve(a.value, b.value)
    return DualMatrix(
      value: value,
      derivative: try Matrix.solve(a.value, b.derivative - a.derivative * value))
  }

  package var oneNorm: Double { value.oneNorm }
}
