// SPDX-License-Identifier: Apache-2.0

import MPI

/// The number of threads that each rank computes with, and whether it has enough cores for them.
public struct CorePlan: Sendable {
  /// The threads of this rank.
  public let threads: Int
  /// The smallest and the largest number of threads of any rank.
  public let threadsOfAll: ClosedRange<Int>
  /// Whether there is a free core for one more thread of each rank.
  public let hasFreeCore: Bool
  /// A line for each group of ranks that share too few cores; the same on every rank.
  public let warnings: [String]

  /// Compares the bindings of all ranks. Every rank calls this.
  ///
  /// - Parameters:
  ///   - wanted: the requested number of threads; 0 gives a rank as many as it has cores
  ///   - shards: the shards of this rank; more threads than shards would be idle
  ///   - communicator: the ranks to compare
  ///   - whole: the plan of all ranks of the job, if these are only some of them
  public init(
    wanted: Int, shards: Int, on communicator: Communicator, within whole: CorePlan? = nil
  ) throws(MPIError) {
    let host = try communicator.splitByHost()
    let masks = try Self.masks(of: host)
    let numbers = try host.allgather(communicator.rank)
    let groups = CoreGroup.groups(of: masks)
    let own = groups.first { $0.members.contains(host.rank) }!
    let each = whole?.threads ?? own.threadsForEach
    let threads = max(min(wanted == 0 ? each : wanted, shards), 1)
    let all = try host.allgather(threads)
    let needed = own.members.reduce(0) { $0 + all[$1] }
    // If the cores are unknown, as on other systems, there is no warning.
    let isCrowded = own.cores.count > 0 && needed > own.cores.count
    hasFreeCore =
      own.cores.count >= needed + own.members.count && whole?.hasFreeCore != false
    let speaks = isCrowded && own.members.first == host.rank
    let warning =
      speaks
      ? own.warning(
        ranks: own.members.map { numbers[$0] }, threads: needed,
        host: Environment.processorName) : ""
    warnings = try communicator.allgather(Array(warning.utf8)).filter { !$0.isEmpty }.map {
      String(decoding: $0, as: UTF8.self)
    }
    self.threads = threads
    threadsOfAll =
      try communicator.allreduce(threads, .minimum)...communicator.allreduce(threads, .maximum)
  }

  private static func bytes(_ word: UInt64) -> [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64(8 * $0)) }
  }

  /// Returns the number of cores that at least one rank of this host may run on. Every rank calls
  /// this.
  public static func coresOfHost(on communicator: Communicator) throws(MPIError) -> Int {
    try masks(of: communicator.splitByHost()).reduce(CoreMask([])) { $0.union($1) }.count
  }

  private static func masks(of host: Communicator) throws(MPIError) -> [CoreMask] {
    try host.allgather(CoreMask.own.words.flatMap(bytes)).map(mask)
  }

  private static func mask(_ bytes: [UInt8]) -> CoreMask {
    CoreMask(
      words: stride(from: 0, to: bytes.count, by: 8).map { start in
        (0..<8).reduce(UInt64(0)) { $0 | UInt64(bytes[start + $1]) << UInt64(8 * $1) }
      })
  }
}

/// Ranks of one host that share cores, directly or through other ranks, and all their cores.
struct CoreGroup: Hashable {
  var members: [Int]
  var cores: CoreMask

  /// The groups, by their first members.
  static func groups(of masks: [CoreMask]) -> [CoreGroup] {
    var groups: [CoreGroup] = []
    for (member, mask) in masks.enumerated() {
      var merged = CoreGroup(members: [member], cores: mask)
      groups.removeAll { group in
        guard group.cores.overlaps(mask) else { return false }
        merged.members += group.members
        merged.cores = merged.cores.union(group.cores)
        return true
      }
      merged.members.sort()
      groups.append(merged)
    }
    return groups.sorted { $0.members[0] < $1.members[0] }
  }

  /// How many threads each member may have so that every thread has a core.
  var threadsForEach: Int { max(cores.count / members.count, 1) }

  /// - Parameter ranks: the numbers of the members
  func warning(ranks: [Int], threads: Int, host: String) -> String {
    let list = ranks.prefix(8).map(String.init).joined(separator: ", ")
    let more = ranks.count > 8 ? " and \(ranks.count - 8) more" : ""
    return "\(ranks.count == 1 ? "rank" : "ranks") \(list)\(more) on \(host): \(threads) threads"
      + " share \(cores); start fewer, or give each rank cores of its own"
      + " (mpirun --map-by core:PE=THREADS --bind-to core)"
  }
}
