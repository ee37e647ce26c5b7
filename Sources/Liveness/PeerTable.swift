// SPDX-License-Identifier: Apache-2.0

/// What a rank knows about the others, and whether to give up on them.
///
/// Plain bookkeeping without clocks or sockets, so that tests can simulate any course of events.
/// Times are seconds during which this process ran: if a whole job is stopped and continued, its
/// ranks do not conclude that all others were silent for long.
struct PeerTable {
  /// A rank that others wait for and that does not answer, with the evidence.
  struct Culprit: Equatable {
    enum Evidence: Equatable {
      /// Its process no longer exists.
      case gone
      /// No heartbeat has come from it for this many seconds.
      case silent(Double)
      /// It answers, but is not waiting, and has been at the same work for this many seconds.
      case stuck(Double)
      /// Another rank reported it.
      case reported(by: Int)
    }
    var rank: Int
    var evidence: Evidence
  }

  struct Peer {
    /// Nil until a heartbeat has come.
    var last: Heartbeat?
    var silentSeconds = 0.0
    /// How long its process has been missing.
    var missingSeconds = 0.0
    /// The time since its last heartbeat from work on a checkpoint.
    var secondsSinceSaving = Double.infinity
  }

  let rank: Int
  private(set) var peers: [Peer]
  private(set) var activity = Activity(.starting, step: 0)
  private(set) var activitySeconds = 0.0
  private(set) var waitSeconds = 0.0
  private var wait: UInt64?
  /// How long this process was last stopped. It is reset once the process has run for the same
  /// time, because by then it would know if the others had given up on it.
  private(set) var stoppedSeconds = 0.0
  private var secondsSinceStop = 0.0
  /// The ranks that this one works with; nil is all.
  var companions: Range<Int>?
  /// Whether the process that started this one is gone.
  private(set) var hasLostLauncher = false

  /// A process must be missing for this long to count as lost, because in a normal end some
  /// processes end before others.
  static let missingLimit = 0.3

  init(rank: Int, ranks: Int) {
    self.rank = rank
    peers = Array(repeating: Peer(), count: ranks)
  }

  /// Lets time pass.
  ///
  /// - Parameters:
  ///   - seconds: the time that has passed
  ///   - activity: what this rank is doing
  ///   - wait: the number of the MPI call that it is waiting in; nil outside MPI calls
  ///   - missing: whether the process of a rank, on this host, no longer exists
  mutating func advance(
    by seconds: Double, activity: Activity, wait: UInt64?, missing: (Int) -> Bool
  ) {
    activitySeconds = activity == self.activity ? activitySeconds + seconds : 0
    waitSeconds = wait != nil && wait == self.wait ? waitSeconds + seconds : 0
    self.activity = activity
    self.wait = wait
    secondsSinceStop += seconds
    if secondsSinceStop > stoppedSeconds { stoppedSeconds = 0 }
    for peer in peers.indices where peer != rank {
      peers[peer].silentSeconds += seconds
      peers[peer].secondsSinceSaving += seconds
      peers[peer].missingSeconds = missing(peer) ? peers[peer].missingSeconds + seconds : 0
    }
  }

  /// Records that this process was stopped for this long, by a signal or with its machine.
  mutating func sleep(for seconds: Double) {
    stoppedSeconds = seconds
    secondsSinceStop = 0
  }

  /// Records that the process that started this one is gone: nothing would report the end of the
  /// run and clean up after it.
  mutating func loseLauncher() { hasLostLauncher = true }

  /// Records a heartbeat.
  mutating func hear(_ heartbeat: Heartbeat) {
    guard heartbeat.rank != rank else { return }
    peers[heartbeat.rank].last = heartbeat
    peers[heartbeat.rank].silentSeconds = 0
    // A rank that waits for others during its save is not the one that the others wait for.
    if heartbeat.activity.phase == .saving, heartbeat.waitSeconds == 0 {
      peers[heartbeat.rank].secondsSinceSaving = 0
    }
  }

  /// This rank's own heartbeat.
  func heartbeat(culprit: Int? = nil) -> Heartbeat {
    Heartbeat(
      rank: rank, activity: activity, activitySeconds: activitySeconds, waitSeconds: waitSeconds,
      culprit: culprit)
  }

  /// The ranks to give up on, in order; empty if there are none. Nil if this rank must end although
  /// no other rank is at fault: it has waited for longer than `limit` while all others answer, or
  /// its launcher has ended.
  ///
  /// The limit applies to this rank's own wait. As long as MPI's messages arrive, silence does not
  /// end a run, because a network may block heartbeats. The run ends at once if the process of a
  /// peer has ended, or if a peer has itself given up. For a peer that answers and is saving, the
  /// limit is `savingLimit`, because only its disk is slow.
  func culprits(limit: Double, savingLimit: Double) -> [Culprit]? {
    if hasLostLauncher, activity.phase != .ending { return nil }
    for case let report? in peers.lazy.map(\.last) {
      guard let culprit = report.culprit else { continue }
      let own = suspects(limit: limit)
      // A rank that suspects no other rank names itself.
      if culprit == report.rank { return own.isEmpty ? nil : own }
      // A rank that others suspect is reported with this rank's own evidence, if there is any.
      let known = own.filter { $0.rank == culprit }
      return known.isEmpty ? [Culprit(rank: culprit, evidence: .reported(by: report.rank))] : known
    }
    if activity.phase != .ending {
      let gone = peers.indices.filter {
        peers[$0].missingSeconds >= Self.missingLimit && peers[$0].last?.activity.phase != .ending
      }
      if !gone.isEmpty { return gone.map { Culprit(rank: $0, evidence: .gone) } }
    }
    if activity.phase == .awaitingTrials {
      return lostPeers(limit: limit, savingLimit: savingLimit)
    }
    guard waitSeconds >= limit else { return [] }
    let savers = (companions ?? 0..<peers.count).filter {
      $0 != rank && isSaving(peers[$0], limit: limit, savingLimit: savingLimit)
    }
    let suspects = suspects(limit: limit).filter { !savers.contains($0.rank) }
    if suspects.isEmpty {
      // A rank that has just saved will soon reach the call that this rank waits in.
      let hasSaved = (companions ?? 0..<peers.count).contains {
        peers[$0].secondsSinceSaving < limit / 2
      }
      return savers.isEmpty && !hasSaved ? nil : []
    }
    return suspects
  }

  /// The peers that an idle rank considers lost. It cannot know how long their work takes, but they
  /// send heartbeats meanwhile, and a save has a limit. A peer that never sent one may be behind a
  /// firewall.
  private func lostPeers(limit: Double, savingLimit: Double) -> [Culprit] {
    guard activitySeconds >= limit else { return [] }
    return peers.indices.compactMap { index in
      guard index != rank, let last = peers[index].last else { return nil }
      if peers[index].silentSeconds >= limit {
        return Culprit(rank: index, evidence: .silent(peers[index].silentSeconds))
      }
      let isStuck =
        last.activity.phase == .saving && last.waitSeconds < limit / 2
        && last.activitySeconds >= max(limit, savingLimit)
      return isStuck ? Culprit(rank: index, evidence: .stuck(last.activitySeconds)) : nil
    }
  }

  /// Whether a peer answers and has been writing a checkpoint for less than `savingLimit`.
  private func isSaving(_ peer: Peer, limit: Double, savingLimit: Double) -> Bool {
    guard let last = peer.last, peer.missingSeconds < Self.missingLimit else { return false }
    return peer.silentSeconds < limit / 2 && last.activity.phase == .saving
      && last.waitSeconds < limit / 2 && last.activitySeconds < savingLimit
  }

  /// The ranks that look lost or late.
  private func suspects(limit: Double) -> [Culprit] {
    peers.indices.compactMap { index in
      let peer = peers[index]
      if index == rank { return nil }
      if peer.missingSeconds >= Self.missingLimit { return Culprit(rank: index, evidence: .gone) }
      guard companions?.contains(index) != false else { return nil }
      // Half of the limit: the peers of a lost rank may begin to wait for it shortly before or
      // after its last heartbeat.
      guard let last = peer.last, peer.silentSeconds < limit / 2 else {
        return Culprit(rank: index, evidence: .silent(peer.silentSeconds))
      }
      if last.waitSeconds < limit / 2, last.activitySeconds >= limit / 2 {
        return Culprit(rank: index, evidence: .stuck(last.activitySeconds))
      }
      return nil
    }
  }
}
