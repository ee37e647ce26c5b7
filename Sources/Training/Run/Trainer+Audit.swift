// SPDX-License-Identifier: Apache-2.0

import DataParallel
import Liveness
import Models
import MPI
import Tensors

/// Audits find a processor with wrong results: a second rank recomputes a shard, and the bits of
/// both must be equal.
///
///     load       the auditor reads the shard as well
///     recompute  the owner sends the state that its rows carry; the auditor computes
///     accumulate every rank computes its own shards; nothing is summed yet
///     compare    the digests of owner and auditor, on every rank
///
/// The auditor computes before its own pass, in the memory of that pass, which then overwrites it.
/// So a run has the same bits with and without audits. The comparison comes before the sum over
/// ranks, so a step that is found wrong changes no parameter.
extension Trainer {
  /// The place of the next step.
  var nextPosition: StepPosition {
    StepPosition(step: state.step, epoch: state.epoch, index: state.batch)
  }

  /// Reads the audited shard on one rank.
  func loadShard(of audit: Audit?, on rank: Int?) throws {
    guard let audit, rank == session.communicator.rank else { return }
    try session.workload.loadShard(audit.shard, at: nextPosition)
  }

  /// Computes the audited shard on one rank, which has loaded it. All ranks call this.
  ///
  /// - Returns: the digest on that rank, nil on the others
  func recompute(_ audit: Audit?, on rank: Int?) throws(RunFailure) -> ShardDigest? {
    guard let audit else { return nil }
    let carried = try carriedRows(of: audit)
    guard rank == session.communicator.rank else { return nil }
    let shard = ShardedBuffer(
      session.parameters.layout, over: session.reduction.shards.flat.rows(0..<1))
    shard.flat.fill(0)
    let totals = session.workload.recompute(from: carried, session.parameters, into: shard)
    return ShardDigest(session.parameters, totals: totals.values, gradient: shard[0])
  }

  /// Sends the state carried by the rows of the audited shard from its owner to every rank.
  private func carriedRows(of audit: Audit) throws(RunFailure) -> [Tensor<Float>] {
    let (plan, rank) = (session.plan, session.communicator.rank)
    let rows = plan.rows(of: audit.shard, in: configuration.batchSize)
    let first = plan.rows(ofRank: audit.owner, in: configuration.batchSize).lowerBound
    var result: [Tensor<Float>] = []
    for (_, own) in session.workload.model.carried {
      let part =
        rank == audit.owner
        ? own.rows(rows.lowerBound - first..<rows.upperBound - first).copy()
        : Tensor<Float>(shape: [rows.count] + own.shape.dropFirst())
      do {
        try Deadline.during(.auditing) { () throws(MPIError) in
          try part.withMutableSpan { (numbers) throws(MPIError) in
            try session.communicator.broadcast(&numbers, from: audit.owner)
          }
        }
      } catch {
        throw RunFailure(error)
      }
      result.append(part)
    }
    return result
  }

  /// Compares the results of the auditor and of the owner. All ranks call this after their own pass
  /// and before the sum.
  ///
  /// - Parameters:
  ///   - second: the digest of the auditor, on that rank
  ///   - totals: the totals of this rank's shards
  /// - Throws: `.diverged` on every rank if any bit differs, with the rank that is wrong
  func compare(
    _ audit: Audit?, _ second: ShardDigest?, with totals: [Totals]
  ) throws(RunFailure) {
    guard let audit else { return }
    let owned = session.plan.shards(of: session.communicator.rank)
    var first: ShardDigest?
    if session.communicator.rank == audit.owner {
      let place = audit.shard - owned.lowerBound
      first = ShardDigest(
        session.parameters, totals: totals[place].values,
        gradient: session.reduction.shards[place])
    }
    let owner = try share(first, from: audit.owner)
    let auditor = try share(second, from: audit.auditor)
    auditedSteps += 1
    guard owner != auditor else { return }
    throw try verdict(audit, owner: owner, auditor: auditor)
  }

  /// Sends the digest of one rank to every rank.
  private func share(
    _ digest: ShardDigest?, from rank: Int
  ) throws(RunFailure) -> ShardDigest {
    var words =
      digest?.words
      ?? Array(repeating: 0, count: ShardDigest.count(session.parameters.layout))
    do {
      try Deadline.during(.auditing) { () throws(MPIError) in
        var span = words.mutableSpan
        try session.communicator.broadcast(&span, from: rank)
      }
    } catch {
      throw RunFailure(error)
    }
    return ShardDigest(words: words)
  }

  /// The failure of all ranks if owner and auditor differ. A third rank computes the shard too, and
  /// the rank that disagrees with it is wrong.
  private func verdict(
    _ audit: Audit, owner: ShardDigest, auditor: ShardDigest
  ) throws(RunFailure) -> RunFailure {
    var third: ShardDigest?
    if let referee = audit.referee {
      try session.agreement.together { try loadShard(of: audit, on: referee) }
      // This overwrites the rank's gradients, which are no longer needed: the run ends.
      third = try share(try recompute(audit, on: referee), from: referee)
    }
    let verdict = AuditVerdict(
      audit, owner: owner, auditor: auditor, referee: third, session.parameters.layout)
    let hosts = audits?.hosts ?? []
    return RunFailure(
      .diverged, verdict.text(on: hosts), blamesHost: true,
      wrongHost: WrongHost(suspects: verdict.suspects, hosts: hosts))
  }

  /// Prints a note about what an audit can find with only one rank.
  func sayAuditOfOneRank() {
    guard audits != nil, session.communicator.size == 1 else { return }
    progress.say(
      "note: with one rank an audit computes a shard twice on the same processor, which finds only"
        + " intermittent faults; start more ranks, preferably on several hosts")
  }

  /// Prints at the end how many steps were audited.
  func sayAudits() {
    guard audits != nil else { return }
    progress.say("audited \(auditedSteps) of \(stepsThisRun) steps: no difference")
  }
}
