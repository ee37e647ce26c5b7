// SPDX-License-Identifier: Apache-2.0

internal import COpenBLAS

/// Returns the singular value decomposition A = U diag(s) Vᵀ of a square matrix.
///
/// A, U and Vᵀ are [n, n] and row-major; s has n elements in descending order.
///
/// - Throws: `LAPACKError` if A holds NaN or the iteration does not converge.
///
/// The corresponding LAPACK routine is `dgesdd`.
public func singularValueDecomposition(
  _ a: [Double], n: Int
) throws(LAPACKError) -> (u: [Double], s: [Double], vt: [Double]) {
  precondition(a.count == n * n, "A is [\(n), \(n)] but has \(a.count) elements")
  if n == 0 { return ([], [], []) }

  var matrix = a
  var u = [Double](repeating: 0, count: n * n)
  var s = [Double](repeating: 0, count: n)
  var vt = [Double](repeating: 0, count: n * n)
  var job = CChar(UInt8(ascii: "A"))
  var order = blasint(n)
  var indices = [blasint](repeating: 0, count: 8 * n)
  var info: blasint = 0

  // The first call returns the size of the workspace, and the second one computes. LAPACK is
  // column-major and reads A as Aᵀ = V diag(s) Uᵀ. So its two factors are exchanged, and in
  // column-major order they are Vᵀ and U row by row.
  var workspace: [Double] = [0]
  for isQuery in [true, false] {
    var size: blasint = isQuery ? -1 : blasint(workspace.count)
    dgesdd_(
      &job, &order, &order, &matrix, &order, &s, &vt, &order, &u, &order,
      &workspace, &size, &indices, &info, 1)
    if info < 0 { throw .invalidArgument(routine: "dgesdd", position: Int(-info)) }
    if info > 0 { throw .notConverged(routine: "dgesdd") }
    if isQuery { workspace = [Double](repeating: 0, count: max(1, Int(workspace[0]))) }
  }
  return (u, s, vt)
}
