// SPDX-License-Identifier: Apache-2.0

internal import COpenMPI

extension Communicator {
  /// Sends `outgoing` to rank `peer` and receives from it into `incoming`, at the same time.
  ///
  /// `peer` does the same with this rank: what one sends has the count of what the other receives.
  /// Both counts are below 2^31.
  ///
  /// The corresponding C function is `MPI_Sendrecv`.
  public func exchange<Scalar: MPIScalar>(
    _ outgoing: Span<Scalar>, with peer: Int, into incoming: inout MutableSpan<Scalar>,
    tag: Int = 0
  ) throws(MPIError) {
    let type = Scalar.datatype.rawValue
    try incoming.withUnsafeMutableBufferPointer { (incoming) throws(MPIError) in
      try outgoing.withUnsafeBufferPointer { (outgoing) throws(MPIError) in
        try check(
          MPI_Sendrecv(
            outgoing.baseAddress, cCount(outgoing.count), type, cInt(peer), cInt(tag),
            incoming.baseAddress, cCount(incoming.count), type, cInt(peer), cInt(tag), handle,
            COpenMPI_STATUS_IGNORE()))
      }
    }
  }
}
