// SPDX-License-Identifier: Apache-2.0

internal import COpenMPI

extension Communicator {
  /// Returns the value that each rank gave, in rank order.
  ///
  /// The corresponding C function is `MPI_Allgather`.
  public func allgather<Scalar: MPIScalar>(_ value: Scalar) throws(MPIError) -> [Scalar] {
    var value = value
    var result = [Scalar](repeating: .zero, count: size)
    let type = Scalar.datatype.rawValue
    try check(MPI_Allgather(&value, 1, type, &result, 1, type, handle))
    return result
  }

  /// Returns the bytes that each rank gave, in rank order.
  ///
  /// Ranks may give different lengths.
  ///
  /// The corresponding C function is `MPI_Allgatherv`.
  public func allgather(_ bytes: [UInt8]) throws(MPIError) -> [[UInt8]] {
    let lengths = try allgather(bytes.count)
    let starts = offsets(of: lengths)
    var received = [UInt8](repeating: 0, count: lengths.reduce(0, +))
    received.replaceSubrange(starts[rank]..<starts[rank] + bytes.count, with: bytes)
    var span = received.mutableSpan
    try span.withUnsafeMutableBufferPointer { (buffer) throws(MPIError) in
      try allgather(buffer, counts: lengths, offsets: starts)
    }
    return zip(starts, lengths).map { Array(received[$0..<$0 + $1]) }
  }

  /// Fills `buffer` on every rank with the parts of all ranks.
  ///
  /// Before the call, rank r has its part in the `counts[r]` elements from `offsets[r]` on. After
  /// it, every rank has all parts. Every rank gives the same counts and offsets, and parts do not
  /// overlap. Buffers beyond the range of a C count are sent as one broadcast per rank.
  ///
  /// The corresponding C function is `MPI_Allgatherv`, with `MPI_IN_PLACE`.
  public func allgather<Scalar: MPIScalar>(
    _ buffer: UnsafeMutableBufferPointer<Scalar>, counts: [Int], offsets: [Int]
  ) throws(MPIError) {
    precondition(
      counts.count == size && offsets.count == size,
      "allgather over \(size) ranks got \(counts.count) counts and \(offsets.count) offsets")
    for (count, offset) in zip(counts, offsets) {
      precondition(
        count >= 0 && offset >= 0 && offset <= buffer.count - count,
        "\(count) elements at \(offset) are outside a buffer of \(buffer.count)")
    }
    if buffer.isEmpty { return }
    guard buffer.count <= Int(CInt.max) else {
      for root in 0..<size {
        let part = offsets[root]..<offsets[root] + counts[root]
        try broadcast(UnsafeMutableBufferPointer(rebasing: buffer[part]), from: root)
      }
      return
    }
    let type = Scalar.datatype.rawValue
    try check(
      MPI_Allgatherv(
        COpenMPI_IN_PLACE(), 0, type, buffer.baseAddress,
        counts.map(cCount), offsets.map(cCount), type, handle))
  }
}
