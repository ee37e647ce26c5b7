// SPDX-License-Identifier: Apache-2.0

import Foundation
import Liveness
import MPI
import Placement

/// The ranks of a sweep in groups of equal size, each of which trains one trial at a time.
///
/// Rank 0 assigns trials and records results between the steps of its own trial. A group that
/// finishes gets the next trial, so groups need not take equally long. If one fails or gets a
/// signal to stop, the others save and stop too, and all ranks end with the same failure.
public final class TrialGroups {
  /// The ranks that share a trial with this one.
  public let communicator: Communicator
  /// The number of groups.
  public let count: Int
  /// The threads and cores of all ranks; nil for one group.
  public let cores: CorePlan?
  private let ranksEach: Int
  private let channel: TrialChannel
  private let abandon: (RunFailure) -> Never
  /// The state of all trials on rank 0; nil on other ranks.
  private var desk: TrialDesk?
  /// Whether rank 0 has asked this group to save and stop.
  private var mustStop = false
  /// The failure of this group's trial, and its time.
  private var ownFailure: (failure: RunFailure, at: ContinuousClock.Instant)?

  /// Every rank calls this.
  ///
  /// - Parameters:
  ///   - world: all ranks
  ///   - ranksEach: the ranks that share a trial; it divides their number
  ///   - threads: the requested number of threads of each rank; 0 is one per core
  ///   - abandon: ends all processes with a failure, without waiting for them
  public init(
    of world: Communicator, ranksEach: Int, threads: Int,
    abandon: @escaping (RunFailure) -> Never
  ) throws(RunFailure) {
    precondition(world.size % ranksEach == 0, "\(world.size) ranks in groups of \(ranksEach)")
    self.ranksEach = ranksEach
    self.abandon = abandon
    count = world.size / ranksEach
    do {
      channel = TrialChannel(try world.duplicate())
      communicator = count == 1 ? world : try world.split(color: world.rank / ranksEach)
      cores = count == 1 ? nil : try CorePlan(wanted: threads, shards: .max, on: world)
    } catch {
      throw RunFailure(error)
    }
  }

  /// The progress of a trial, on the first rank of its group.
  public func progress(ofTrial name: String) -> Progress {
    Progress(isActive: communicator.rank == 0, name: count == 1 ? nil : name)
  }

  /// Trains trials, and returns when all are done. Every rank calls this.
  ///
  /// - Parameters:
  ///   - trials: the numbers of the trials
  ///   - configuration: the configuration of a trial as YAML; called on rank 0
  ///   - record: keeps the result of a trial; called on rank 0
  ///   - body: trains a trial on a group; every rank of the group calls it
  public func train(
    _ trials: [Int], configuration: @escaping (Int) throws -> String,
    record: @escaping (Int, TrialResult) throws -> Void,
    _ body: (_ trial: Int, _ configuration: String) throws(RunFailure) -> TrialResult
  ) throws(RunFailure) {
    if channel.rank == 0 {
      desk = TrialDesk(
        trials, after: desk, groups: count, ranksEach: ranksEach, channel, configuration, record)
    }
    let first = channel.rank / ranksEach * ranksEach
    Deadline.companions = first..<first + ranksEach
    defer { Deadline.companions = nil }
    while true {
      switch try nextOrder() {
      case .train(let trial, let configuration):
        try report(
          trial, outcome(of: trial) { () throws(RunFailure) in try body(trial, configuration) })
      case .finish: return
      case .fail(let failure): throw failure
      }
    }
  }

  /// Called between the steps of a trial; returns what other ranks request.
  public func request() throws(RunFailure) -> SignalRequest {
    guard communicator.rank == 0 else { return .none }
    if let desk {
      try desk.serve()
      return desk.isStopping ? .saveAndStop : .none
    }
    if try channel.takeStop() { mustStop = true }
    return mustStop ? .saveAndStop : .none
  }

  private func outcome(
    of trial: Int, _ body: () throws(RunFailure) -> TrialResult
  ) throws(RunFailure) -> TrialOutcome {
    do throws(RunFailure) {
      return .done(try body())
    } catch {
      switch error.status {
      case .preempted: return .interrupted
      case .peerLost: throw error  // the others cannot be asked
      default: return .failed(error)
      }
    }
  }

  private func report(_ trial: Int, _ outcome: TrialOutcome) throws(RunFailure) {
    if case .failed(let failure) = outcome { ownFailure = (failure, .now) }
    guard communicator.rank == 0 else { return }
    if let desk {
      try desk.take(TrialReport(trial: trial, outcome: outcome), from: 0)
    } else {
      try channel.send(TrialReport(trial: trial, outcome: outcome))
    }
  }

  /// Waits for the next order, without a limit while others train.
  private func nextOrder() throws(RunFailure) -> TrialOrder {
    try Deadline.during(.awaitingTrials) { () throws(RunFailure) in
      while true {
        if SignalWatch.take() == .saveAndStop {
          let report = TrialReport(trial: nil, outcome: .interrupted)
          if let desk { try desk.take(report, from: 0) } else { try channel.send(report) }
        }
        let order = if let desk { try desk.nextOrder() } else { try channel.takeOrder() }
        if let order { return order }
        // The other groups may still be saving.
        if let late = desk?.failure ?? ownFailure,
          (ContinuousClock.now - late.at).seconds > max(Deadline.seconds, Deadline.savingSeconds)
        {
          abandon(late.failure)
        }
        Thread.sleep(forTimeInterval: 0.002)
      }
    }
  }
}
