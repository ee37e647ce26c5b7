// SPDX-License-Identifier: Apache-2.0

internal import COpenBLAS

/// Returns the solution X of A X = B, by LU factorization with partial pivoting.
///
/// A is [n, n]; B and X are [n, columns]; all are row-major.
///
/// - Throws: `LAPACKError.singular` if a pivot is exactly zero.
///
/// The corresponding LAPACK routines are `dgetrf` and `dgetrs`.
public func solve(
  _ a: [Double], _ b: [Double], n: Int, columns: Int = 1
) throws(LAPACKError) -> [Double] {
  precondition(a.count == n * n, "A is [\(n), \(n)] but has \(a.count) elements")
  precondition(b.count == n * columns, "B is [\(n), \(columns)] but has \(b.count) elements")
  if b.isEmpty { return [] }

  // LAPACK is column-major, so it reads A as Aᵀ. It factors Aᵀ and solves the transposed system.
  // Only B and X have to be reordered.
  var factors = a
  var pivots = [blasint](repeating: 0, count: n)
  var order = blasint(n)
  var right = blasint(columns)
  var info: blasint = 0
  dgetrf_(&order, &order, &factors, &order, &pivots, &info)
  try check(info, "dgetrf")

  var x = transposed(b, rows: n, columns: columns)
  var transpose = CChar(UInt8(ascii: "T"))
  dgetrs_(&transpose, &order, &right, factors, &order, pivots, &x, &order, &info, 1)
  try check(info, "dgetrs")
  return transposed(x, rows: columns, columns: n)
}

/// Throws the error that LAPACK reports in `info`, if any.
private func check(_ info: blasint, _ routine: String) throws(LAPACKError) {
  if info < 0 { throw .invalidArgument(routine: routine, position: Int(-info)) }
  if info > 0 { throw .singular(column: Int(info) - 1) }
}

/// Returns the transpose of a row-major matrix.
private func transposed(_ matrix: [Double], rows: Int, columns: Int) -> [Double] {
  var result = [Double](repeating: 0, count: matrix.count)
  for row in 0..<rows {
    for column in 0..<columns {
      result[column * rows + row] = matrix[row * columns + column]
    }
  }
  return result
}
