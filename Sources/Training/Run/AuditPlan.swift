// SPDX-License-Identifier: Apache-2.0

import DataParallel
import MPI
import RandomNumbers

/// An audit: one virtual shard of one step, computed by two ranks.
struct Audit: Equatable {
  /// The step, counted from 1.
  let step: Int
  let shard: Int
  /// The rank that owns the shard.
  let owner: Int
  /// The rank that computes it again; the owner itself if there is no other.
  let auditor: Int
  /// The rank that decides which of the two is wrong; nil with fewer than three ranks.
  let referee: Int?
}

/// The audits of a run: which steps are audited, which shard of each, and by which rank.
///
/// The choice follows from the seed and the step alone: every rank makes the same one, and a
/// resumed run audits the same steps. The auditor is on a different host than the owner if
/// possible, because the ranks of a host share processor and memory.
struct AuditPlan {
  private let share: Double
  private let seed: UInt64
  private let shards: ShardPlan
  /// The name of each rank's host.
  let hosts: [String]

  /// - Parameter share: the share of the steps, 0...1
  init(share: Double, seed: UInt64, shards: ShardPlan, hosts: [String]) {
    precondition(hosts.count == shards.ranks, "\(hosts.count) hosts of \(shards.ranks) ranks")
    (self.share, self.seed, self.shards, self.hosts) = (share, seed, shards, hosts)
  }

  /// The plan of a run; nil if nothing is audited. All ranks call this.
  static func of(_ session: TrainingSession) throws(RunFailure) -> AuditPlan? {
    guard session.configuration.audit > 0 else { return nil }
    do {
      return AuditPlan(
        share: session.configuration.audit, seed: session.configuration.seed,
        shards: session.plan, hosts: try session.communicator.hostNames())
    } catch {
      throw RunFailure(error)
    }
  }

  /// The audit of a step, counted from 1; nil if it has none.
  func audit(atStep step: Int) -> Audit? {
    var stream = RandomStream(seed: seed, purpose: .audit, step: step)
    guard stream.uniform() < share else { return nil }
    let shard = stream.below(shards.shards)
    let owner = shards.owner(of: shard)
    let auditor = pick(besides: [owner], from: &stream) ?? owner
    return Audit(
      step: step, shard: shard, owner: owner, auditor: auditor,
      referee: auditor == owner ? nil : pick(besides: [owner, auditor], from: &stream))
  }

  /// One of the other ranks, on another host if there is one.
  private func pick(besides ranks: [Int], from stream: inout RandomStream) -> Int? {
    let others = hosts.indices.filter { !ranks.contains($0) }
    let elsewhere = others.filter { other in !ranks.contains { hosts[$0] == hosts[other] } }
    let candidates = elsewhere.isEmpty ? others : elsewhere
    return candidates.isEmpty ? nil : candidates[stream.below(candidates.count)]
  }
}
