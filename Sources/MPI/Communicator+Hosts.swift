// SPDX-License-Identifier: Apache-2.0

extension Communicator {
  /// The name of each rank's host. Every rank calls this.
  public func hostNames() throws(MPIError) -> [String] {
    try allgather(Array(Environment.processorName.utf8)).map { String(decoding: $0, as: UTF8.self) }
  }

  /// The host of each rank, numbered from 0 in the order of their first ranks.
  ///
  /// Every rank calls this.
  public func hosts() throws(MPIError) -> [Int] {
    let firsts = try allgather(try splitByHost().allreduce(rank, .minimum))
    var numbers: [Int: Int] = [:]
    return firsts.map { first in
      let number = numbers[first] ?? numbers.count
      numbers[first] = number
      return number
    }
  }

  /// Returns a communicator of the same ranks, numbered host by host. Hosts are in the order of
  /// their first ranks, and the ranks of a host in their order here.
  ///
  /// Neighbours then share memory, so the first steps of recursive halving, which move the most
  /// data, stay inside a host. If the ranks are already numbered by host, as by default, this
  /// communicator itself is returned. Every rank calls this.
  public func groupedByHost() throws(MPIError) -> Communicator {
    let hosts = try hosts()
    return zip(hosts, hosts.dropFirst()).allSatisfy { $0 <= $1 }
      ? self : try split(color: 0, key: hosts[rank])
  }
}
