// SPDX-License-Identifier: Apache-2.0

internal import COpenMPI

/// An error code returned by MPI.
///
/// The raw value is the C code, so it can hold a code that a later MPI adds.
public struct MPIError: RawRepresentable, Error, Hashable, Sendable {
  /// The code that the C function returned.
  public let rawValue: CInt

  /// Creates the error of a C code.
  public init(rawValue: CInt) {
    self.rawValue = rawValue
  }

  /// A message was longer than the buffer that received it.
  public static var truncatedMessage: MPIError { MPIError(rawValue: MPI_ERR_TRUNCATE) }

  /// An operator was applied to a type it is not defined for.
  public static var invalidOperator: MPIError { MPIError(rawValue: MPI_ERR_OP) }

  /// A rank is not part of the communicator.
  public static var invalidRank: MPIError { MPIError(rawValue: MPI_ERR_RANK) }

  /// MPI cannot be used in its present state, such as after its finalization.
  public static var other: MPIError { MPIError(rawValue: MPI_ERR_OTHER) }
}

extension MPIError: CustomStringConvertible {
  /// MPI's own text for the code.
  ///
  /// The corresponding C function is `MPI_Error_string`.
  public var description: String {
    // MPI translates codes only between its initialization and its finalization.
    guard Environment.isInitialized else { return "MPI error \(rawValue)" }
    let text = withText(capacity: Int(MPI_MAX_ERROR_STRING)) { MPI_Error_string(rawValue, $0, $1) }
    return text.isEmpty ? "MPI error \(rawValue)" : text
  }
}

/// Calls MPI, and throws an error if its status is not `MPI_SUCCESS`. See `Waits`.
func check(_ call: @autoclosure () -> CInt) throws(MPIError) {
  let status = Waits.during(call)
  guard status == MPI_SUCCESS else { throw MPIError(rawValue: status) }
}
