// SPDX-License-Identifier: Apache-2.0

internal import COpenMPI

/// How a reduction combines the values of the ranks.
public struct ReductionOperator: Hashable, Sendable {
  private enum Kind {
    case sum, minimum, maximum, bitwiseOr
  }

  private let kind: Kind

  /// Addition.
  ///
  /// The corresponding C constant is `MPI_SUM`.
  public static let sum = ReductionOperator(kind: .sum)

  /// The smallest value.
  ///
  /// The corresponding C constant is `MPI_MIN`.
  public static let minimum = ReductionOperator(kind: .minimum)

  /// The largest value.
  ///
  /// The corresponding C constant is `MPI_MAX`.
  public static let maximum = ReductionOperator(kind: .maximum)

  /// Bitwise or, for integer types only. With other types, the call throws
  /// `MPIError.invalidOperator`.
  ///
  /// The corresponding C constant is `MPI_BOR`.
  public static let bitwiseOr = ReductionOperator(kind: .bitwiseOr)

  var rawValue: MPI_Op {
    switch kind {
    case .sum: COpenMPI_SUM()
    case .minimum: COpenMPI_MIN()
    case .maximum: COpenMPI_MAX()
    case .bitwiseOr: COpenMPI_BOR()
    }
  }
}
