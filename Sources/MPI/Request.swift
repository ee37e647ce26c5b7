// SPDX-License-Identifier: Apache-2.0

internal import COpenMPI

/// A send or receive in progress.
///
/// Complete every request with `wait()`, `test()` or `waitAll(_:)` before its buffer is freed. A
/// receive that is released earlier is cancelled; a send continues to read its buffer.
public final class Request {
  private var handle: MPI_Request?
  private let receives: Bool

  init(receives: Bool, _ start: (inout MPI_Request?) -> CInt) throws(MPIError) {
    var handle: MPI_Request?
    try check(start(&handle))
    self.handle = handle
    self.receives = receives
  }

  deinit {
    guard !isComplete, Environment.isInitialized else { return }
    if receives {
      // The buffer is about to be freed, so nothing may be written to it after this.
      _ = MPI_Cancel(&handle)
      _ = Waits.during { MPI_Wait(&handle, COpenMPI_STATUS_IGNORE()) }
    } else {
      _ = MPI_Request_free(&handle)
    }
  }

  /// A Boolean value that tells whether the request was seen to complete.
  public var isComplete: Bool {
    handle == COpenMPI_REQUEST_NULL()
  }

  /// Waits until the request is complete.
  ///
  /// The corresponding C function is `MPI_Wait`.
  public func wait() throws(MPIError) {
    try check(MPI_Wait(&handle, COpenMPI_STATUS_IGNORE()))
  }

  /// Returns whether the request is complete, and lets MPI make progress on it.
  ///
  /// The corresponding C function is `MPI_Test`.
  public func test() throws(MPIError) -> Bool {
    var flag: CInt = 0
    try check(MPI_Test(&handle, &flag, COpenMPI_STATUS_IGNORE()))
    return flag != 0
  }

  /// Waits until all requests are complete.
  ///
  /// - Throws: the error of the first request that failed.
  ///
  /// The corresponding C function is `MPI_Waitall`.
  public static func waitAll(_ requests: [Request]) throws(MPIError) {
    var handles = requests.map(\.handle)
    var statuses = [MPI_Status](repeating: MPI_Status(), count: requests.count)
    let result = Waits.during { MPI_Waitall(cCount(requests.count), &handles, &statuses) }
    for (request, handle) in zip(requests, handles) { request.handle = handle }
    if result == MPI_ERR_IN_STATUS {
      for status in statuses where status.MPI_ERROR != MPI_ERR_PENDING {
        try check(status.MPI_ERROR)
      }
    }
    try check(result)
  }
}
