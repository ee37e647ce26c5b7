// SPDX-License-Identifier: Apache-2.0

internal import COpenMPI

/// A group of ranks that communicate with one another.
///
/// Every rank of the communicator calls the collective methods, in the same order.
public final class Communicator {
  /// The position of this process in the communicator, from 0.
  public let rank: Int

  /// The number of processes in the communicator.
  public let size: Int

  let handle: MPI_Comm
  private let isOwned: Bool

  /// Wraps a handle, which is freed on deinitialisation if it is owned.
  private init(_ handle: MPI_Comm, isOwned: Bool) throws(MPIError) {
    var rank: CInt = 0
    var size: CInt = 0
    try check(MPI_Comm_rank(handle, &rank))
    try check(MPI_Comm_size(handle, &size))
    self.rank = Int(rank)
    self.size = Int(size)
    self.handle = handle
    self.isOwned = isOwned
  }

  deinit {
    guard isOwned, Environment.isInitialized else { return }
    var handle: MPI_Comm? = handle
    _ = MPI_Comm_free(&handle)
  }

  /// Returns the communicator of all ranks. Starts MPI if it is not running.
  ///
  /// The corresponding C constant is `MPI_COMM_WORLD`.
  public static func world() throws(MPIError) -> Communicator {
    try Environment.initialize()
    return try Communicator(COpenMPI_COMM_WORLD(), isOwned: false)
  }

  /// Returns a communicator of the ranks that gave the same `color`, ordered by `key` and
  /// then by their rank here.
  ///
  /// Every rank calls this. `color` is not negative.
  ///
  /// The corresponding C function is `MPI_Comm_split`.
  public func split(color: Int, key: Int = 0) throws(MPIError) -> Communicator {
    precondition(color >= 0, "the color of a split is not negative, found \(color)")
    return try owned { MPI_Comm_split(handle, cInt(color), cInt(key), &$0) }
  }

  /// Returns a communicator of the ranks that share this host's memory, in their order here.
  ///
  /// The corresponding C function is `MPI_Comm_split_type`, with `MPI_COMM_TYPE_SHARED`.
  public func splitByHost() throws(MPIError) -> Communicator {
    try owned {
      MPI_Comm_split_type(
        handle, CInt(MPI_COMM_TYPE_SHARED), cInt(rank), COpenMPI_INFO_NULL(), &$0)
    }
  }

  /// Returns a communicator of the same ranks. Its messages are separate from this one's.
  ///
  /// The corresponding C function is `MPI_Comm_dup`.
  public func duplicate() throws(MPIError) -> Communicator {
    try owned { MPI_Comm_dup(handle, &$0) }
  }

  /// Wraps the communicator that `body` creates.
  private func owned(_ body: (inout MPI_Comm?) -> CInt) throws(MPIError) -> Communicator {
    var created: MPI_Comm?
    try check(body(&created))
    guard let created, created != COpenMPI_COMM_NULL() else { throw .other }
    return try Communicator(created, isOwned: true)
  }
}
