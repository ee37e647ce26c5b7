// SPDX-License-Identifier: Apache-2.0

internal import COpenMPI

#if canImport(Darwin)
  internal import Darwin
#else
  internal import Glibc
#endif

extension Communicator {
  /// Wakes rank `destination`, which waits in `awaitNudge(from:tag:)`.
  ///
  /// The corresponding C function is `MPI_Send`, of an empty message.
  public func nudge(_ destination: Int, tag: Int = 0) throws(MPIError) {
    try check(MPI_Send(nil, 0, UInt8.datatype.rawValue, cInt(destination), cInt(tag), handle))
  }

  /// Waits for a nudge from rank `source`, and sleeps between checks.
  ///
  /// Other waits in MPI keep a core busy. A rank without work uses this one to leave its core to
  /// other ranks.
  ///
  /// The corresponding C functions are `MPI_Iprobe` and `MPI_Recv`.
  public func awaitNudge(from source: Int, tag: Int = 0) throws(MPIError) {
    let status = Waits.during { () -> CInt in
      var isThere: CInt = 0
      while true {
        let status = MPI_Iprobe(
          cInt(source), cInt(tag), handle, &isThere, COpenMPI_STATUS_IGNORE())
        if status != MPI_SUCCESS || isThere != 0 { return status }
        usleep(1000)
      }
    }
    guard status == MPI_SUCCESS else { throw MPIError(rawValue: status) }
    try check(
      MPI_Recv(
        nil, 0, UInt8.datatype.rawValue, cInt(source), cInt(tag), handle,
        COpenMPI_STATUS_IGNORE()))
  }
}
