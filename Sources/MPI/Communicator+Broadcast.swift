// SPDX-License-Identifier: Apache-2.0

internal import COpenMPI

extension Communicator {
  /// Copies the `buffer` of rank `root` to every rank's `buffer`.
  ///
  /// Every rank calls this with the same `buffer.count`. Buffers beyond the range of a C
  /// count are sent in pieces.
  ///
  /// The corresponding C function is `MPI_Bcast`.
  public func broadcast<Scalar: MPIScalar>(
    _ buffer: inout MutableSpan<Scalar>, from root: Int = 0
  ) throws(MPIError) {
    try buffer.withUnsafeMutableBufferPointer { (buffer) throws(MPIError) in
      try broadcast(buffer, from: root)
    }
  }

  /// Returns the value that rank `root` gave.
  ///
  /// The corresponding C function is `MPI_Bcast`.
  public func broadcast<Scalar: MPIScalar>(
    _ value: Scalar, from root: Int = 0
  ) throws(MPIError) -> Scalar {
    var result = value
    try check(MPI_Bcast(&result, 1, Scalar.datatype.rawValue, cInt(root), handle))
    return result
  }

  /// Returns the bytes that rank `root` gave; those of other ranks are ignored.
  ///
  /// The length is sent first, so ranks need not know it.
  ///
  /// The corresponding C function is `MPI_Bcast`.
  public func broadcast(_ bytes: [UInt8], from root: Int = 0) throws(MPIError) -> [UInt8] {
    let length = try broadcast(bytes.count, from: root)
    var result = rank == root ? bytes : [UInt8](repeating: 0, count: length)
    var span = result.mutableSpan
    try broadcast(&span, from: root)
    return result
  }

  /// Copies a buffer from `root`, in as many calls as its count needs.
  func broadcast<Scalar: MPIScalar>(
    _ buffer: UnsafeMutableBufferPointer<Scalar>, from root: Int
  ) throws(MPIError) {
    for start in stride(from: 0, to: buffer.count, by: maximumCount) {
      try check(
        MPI_Bcast(
          buffer.baseAddress! + start, CInt(min(maximumCount, buffer.count - start)),
          Scalar.datatype.rawValue, cInt(root), handle))
    }
  }
}
