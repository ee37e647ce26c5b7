// SPDX-License-Identifier: Apache-2.0

internal import COpenMPI

extension Communicator {
  /// Sends `buffer` to rank `destination`, and returns once `buffer` may be changed.
  ///
  /// `buffer.count` is below 2^31.
  ///
  /// The corresponding C function is `MPI_Send`.
  public func send<Scalar: MPIScalar>(
    _ buffer: Span<Scalar>, to destination: Int, tag: Int = 0
  ) throws(MPIError) {
    try buffer.withUnsafeBufferPointer { (buffer) throws(MPIError) in
      try check(
        MPI_Send(
          buffer.baseAddress, cCount(buffer.count), Scalar.datatype.rawValue,
          cInt(destination), cInt(tag), handle))
    }
  }

  /// Receives a message from rank `source` into the first elements of `buffer`.
  ///
  /// - Returns: the number of elements that arrived, at most `buffer.count`.
  /// - Throws: `MPIError.truncatedMessage` if the message is longer than `buffer`.
  ///
  /// The corresponding C functions are `MPI_Recv` and `MPI_Get_count`.
  @discardableResult
  public func receive<Scalar: MPIScalar>(
    into buffer: inout MutableSpan<Scalar>, from source: Int, tag: Int = 0
  ) throws(MPIError) -> Int {
    try buffer.withUnsafeMutableBufferPointer { (buffer) throws(MPIError) in
      var status = MPI_Status()
      try check(
        MPI_Recv(
          buffer.baseAddress, cCount(buffer.count), Scalar.datatype.rawValue,
          cInt(source), cInt(tag), handle, &status))
      var received: CInt = 0
      try check(MPI_Get_count(&status, Scalar.datatype.rawValue, &received))
      return Int(received)
    }
  }

  /// Starts to send `buffer` to rank `destination`.
  ///
  /// The caller keeps `buffer` allocated and unchanged until the request is complete. Its count is
  /// below 2^31.
  ///
  /// The corresponding C function is `MPI_Isend`.
  public func isend<Scalar: MPIScalar>(
    _ buffer: UnsafeBufferPointer<Scalar>, to destination: Int, tag: Int = 0
  ) throws(MPIError) -> Request {
    try Request(receives: false) {
      MPI_Isend(
        buffer.baseAddress, cCount(buffer.count), Scalar.datatype.rawValue,
        cInt(destination), cInt(tag), handle, &$0)
    }
  }

  /// Starts to receive a message from rank `source` into `buffer`.
  ///
  /// The caller keeps `buffer` allocated and does not read it until the request is complete. Its
  /// count is below 2^31.
  ///
  /// The corresponding C function is `MPI_Irecv`.
  public func ireceive<Scalar: MPIScalar>(
    into buffer: UnsafeMutableBufferPointer<Scalar>, from source: Int, tag: Int = 0
  ) throws(MPIError) -> Request {
    try Request(receives: true) {
      MPI_Irecv(
        buffer.baseAddress, cCount(buffer.count), Scalar.datatype.rawValue,
        cInt(source), cInt(tag), handle, &$0)
    }
  }
}
