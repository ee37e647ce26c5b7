// SPDX-License-Identifier: Apache-2.0

internal import COpenMPI

extension Communicator {
  /// Receives a message from any rank if one has arrived, without waiting.
  ///
  /// Only one thread at a time may call this on a communicator.
  ///
  /// - Returns: the message and its sender; nil if none has arrived
  ///
  /// The corresponding C functions are `MPI_Iprobe`, `MPI_Get_count` and `MPI_Recv`.
  public func receiveIfArrived(tag: Int = 0) throws(MPIError) -> (source: Int, bytes: [UInt8])? {
    var status = MPI_Status()
    var isThere: CInt = 0
    try check(MPI_Iprobe(CInt(MPI_ANY_SOURCE), cInt(tag), handle, &isThere, &status))
    guard isThere != 0 else { return nil }
    let type = UInt8.datatype.rawValue
    var count: CInt = 0
    try check(MPI_Get_count(&status, type, &count))
    var bytes = [UInt8](repeating: 0, count: Int(count))
    try check(
      MPI_Recv(
        &bytes, count, type, status.MPI_SOURCE, cInt(tag), handle, COpenMPI_STATUS_IGNORE()))
    return (Int(status.MPI_SOURCE), bytes)
  }
}

/// A message that is being sent, with its bytes.
///
/// Keep it until `hasLeft()` returns true. If it is released earlier, its bytes are never freed.
public final class PostedMessage {
  private let bytes: UnsafeMutableBufferPointer<UInt8>
  private let request: Request

  fileprivate init(
    _ message: [UInt8], _ start: (UnsafeBufferPointer<UInt8>) throws(MPIError) -> Request
  ) throws(MPIError) {
    bytes = .allocate(capacity: message.count)
    _ = bytes.initialize(from: message)
    request = try start(UnsafeBufferPointer(bytes))
  }

  deinit {
    if request.isComplete { bytes.deallocate() }
  }

  /// Returns whether the message has left, and lets MPI make progress on it.
  public func hasLeft() throws(MPIError) -> Bool {
    if request.isComplete { return true }
    return try request.test()
  }
}

extension Communicator {
  /// Starts to send `message` to rank `destination`, without waiting.
  ///
  /// The corresponding C function is `MPI_Isend`.
  public func post(
    _ message: [UInt8], to destination: Int, tag: Int = 0
  ) throws(MPIError) -> PostedMessage {
    try PostedMessage(message) { (bytes) throws(MPIError) in
      try isend(bytes, to: destination, tag: tag)
    }
  }
}
