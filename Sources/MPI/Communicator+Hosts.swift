extension Communicator {
  /// Returns a communicator of the same ranks, numbered host by host: hosts in the order of their
  /// first ranks, the ranks of a host in their order here.
  ///
  /// Neighbours then share memory, so that the first steps of recursive halving, which move most,
  /// stay inside a host. Where ranks were placed so already, as they are by default, it is this
  /// communicator. Every rank calls this.
  public func groupedByHost() throws(MPIError) -> Communicator {
    let first = try splitByHost().allreduce(rank, .minimum)
    let all = try allgather(first)
    return zip(all, all.dropFirst()).allSatisfy { $0 <= $1 }
      ? self : try split(color: 0, key: first)
  }
}
