// SPDX-License-Identifier: Apache-2.0

/// A LAPACK routine that could not finish.
public enum LAPACKError: Error, Hashable, Sendable {
  /// The matrix has no inverse: the pivot of `column`, counted from 0, is zero.
  case singular(column: Int)

  /// The iteration did not converge.
  case notConverged(routine: String)

  /// The routine refused its argument at `position`, counted from 1, as it does for NaN.
  case invalidArgument(routine: String, position: Int)
}

extension LAPACKError: CustomStringConvertible {
  /// The error on one line.
  public var description: String {
    switch self {
    case .singular(let column):
      "the matrix is singular: pivot \(column) is zero"
    case .notConverged(let routine):
      "\(routine) did not converge"
    case .invalidArgument(let routine, let position):
      "\(routine) refused its argument \(position), which may hold NaN"
    }
  }
}
