// SPDX-License-Identifier: Apache-2.0

internal import COpenMPI

extension Communicator {
  /// Reduces `buffer` element-wise over all ranks and leaves the result in `buffer` on
  /// every rank.
  ///
  /// Every rank calls this with the same `buffer.count`. Buffers beyond the range of a C
  /// count are reduced in pieces.
  ///
  /// The corresponding C function is `MPI_Allreduce`, with `MPI_IN_PLACE`.
  public func allreduce<Scalar: MPIScalar>(
    _ buffer: inout MutableSpan<Scalar>, _ op: ReductionOperator = .sum
  ) throws(MPIError) {
    try buffer.withUnsafeMutableBufferPointer { (buffer) throws(MPIError) in
      for start in stride(from: 0, to: buffer.count, by: maximumCount) {
        try check(
          MPI_Allreduce(
            COpenMPI_IN_PLACE(), buffer.baseAddress! + start,
            CInt(min(maximumCount, buffer.count - start)),
            Scalar.datatype.rawValue, op.rawValue, handle))
      }
    }
  }

  /// Returns `value` reduced over all ranks.
  ///
  /// The corresponding C function is `MPI_Allreduce`.
  public func allreduce<Scalar: MPIScalar>(
    _ value: Scalar, _ op: ReductionOperator = .sum
  ) throws(MPIError) -> Scalar {
    var result = value
    try check(
      MPI_Allreduce(
        COpenMPI_IN_PLACE(), &result, 1, Scalar.datatype.rawValue, op.rawValue, handle))
    return result
  }
}
