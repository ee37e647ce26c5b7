// SPDX-License-Identifier: Apache-2.0

internal import COpenMPI

extension Communicator {
  /// Returns the bytes of every rank, in rank order, on rank `root`, and `nil` elsewhere.
  ///
  /// Ranks may give different lengths. Their sum is below 2 GiB.
  ///
  /// The corresponding C function is `MPI_Gatherv`.
  public func gather(_ bytes: [UInt8], to root: Int = 0) throws(MPIError) -> [[UInt8]]? {
    let isRoot = rank == root
    var length = bytes.count
    var lengths = [Int](repeating: 0, count: isRoot ? size : 0)
    let type = Int.datatype.rawValue
    try check(MPI_Gather(&length, 1, type, &lengths, 1, type, cInt(root), handle))

    let starts = offsets(of: lengths)
    var received = [UInt8](repeating: 0, count: lengths.reduce(0, +))
    _ = cCount(received.count)
    try check(
      MPI_Gatherv(
        bytes, cCount(bytes.count), UInt8.datatype.rawValue,
        &received, lengths.map(cCount), starts.map(cCount), UInt8.datatype.rawValue,
        cInt(root), handle))
    return isRoot ? zip(starts, lengths).map { Array(received[$0..<$0 + $1]) } : nil
  }
}
