// SPDX-License-Identifier: Apache-2.0

import MPI
import Placement

extension Doctor {
  /// Returns what was found on the hosts of a job, on rank 0, and nil on the other ranks.
  ///
  /// The first rank of each host looks at its host. Rank 0 compares what they found: the same
  /// finding of all hosts is one finding, and a different one names its hosts. It adds what only a
  /// comparison shows: whether the hosts run the same program, see the same folder for runs, and
  /// agree on the time. Every rank of `world` calls this.
  public func findings(on world: Communicator) throws(MPIError) -> [Finding]? {
    let hosts = try world.hosts()
    let first = Dictionary(
      zip(hosts, hosts.indices), uniquingKeysWith: { first, _ in first })
    let own = hosts[world.rank]
    let isFirst = first[own] == world.rank
    let cores = try CorePlan.coresOfHost(on: world)
    let seesOutput = try SharedFolderProbe.isSeen(in: output, on: world, looks: isFirst)
    var bytes: [UInt8] = []
    if isFirst {
      let record = HostRecord(
        host: MPI.Environment.processorName, ranks: hosts.count { $0 == own },
        findings: findings(ofRanksWith: cores),
        program: .here(), seesOutput: seesOutput)
      bytes = record.bytes
    }
    let leaders = first.values.sorted()
    let offsets = try HostClocks.offsets(of: leaders, on: world)
    guard let all = try world.gather(bytes) else { return nil }
    let records = zip(leaders, offsets).map { leader, offset in
      var record = HostRecord(bytes: all[leader])
      record.clockOffset = offset
      return record
    }
    return HostComparison(records: records).findings
  }
}
