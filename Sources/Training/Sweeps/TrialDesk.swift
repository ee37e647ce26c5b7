// SPDX-License-Identifier: Apache-2.0

import Liveness
import MPI
import Reports

/// Rank 0's view of the trials: which group trains which trial, and which trial is next.
final class TrialDesk {
  private var waiting: ArraySlice<Int>
  /// The trial of each group that has one.
  private var busy: [Int: Int] = [:]
  private let groups: Int
  private let ranksEach: Int
  private let channel: TrialChannel
  private let configuration: (Int) throws -> String
  private let record: (Int, TrialResult) throws -> Void
  private var interrupted: [Int] = []
  private var ownOrder: TrialOrder?
  private var isOver = false
  /// Whether no more trials begin, and those in progress are to be saved.
  private(set) var isStopping = false
  /// The first failure, and its time.
  private(set) var failure: (failure: RunFailure, at: ContinuousClock.Instant)?

  /// - Parameter previous: the desk of the rung before, which a signal may have reached too late
  init(
    _ trials: [Int], after previous: TrialDesk?, groups: Int, ranksEach: Int,
    _ channel: TrialChannel,
    _ configuration: @escaping (Int) throws -> String,
    _ record: @escaping (Int, TrialResult) throws -> Void
  ) {
    waiting = trials[...]
    (self.groups, self.ranksEach, self.channel) = (groups, ranksEach, channel)
    (self.configuration, self.record) = (configuration, record)
    (isStopping, failure) = (previous?.isStopping ?? false, previous?.failure)
  }

  /// The next order of rank 0's own group; nil if it must wait for others.
  func nextOrder() throws(RunFailure) -> TrialOrder? {
    try serve()
    guard let order = ownOrder else { return nil }
    // The last orders must have left before the ranks go on.
    if isOver, !channel.isIdle { return nil }
    ownOrder = nil
    return order
  }

  /// Takes the reports that have arrived, and gives trials to groups without one.
  func serve() throws(RunFailure) {
    while let (source, report) = try channel.takeReport() {
      try take(report, from: source / ranksEach)
    }
    while !isStopping, let group = (0..<groups).first(where: { busy[$0] == nil }),
      let trial = waiting.popFirst()
    {
      do {
        let own = try Deadline.during(.saving) { try configuration(trial) }
        try give(.train(trial: trial, configuration: own), to: group)
        busy[group] = trial
      } catch {
        try stop(after: RunFailure(error))
      }
    }
    guard busy.isEmpty, !isOver else { return }
    isOver = true
    for group in 0..<groups { try give(last, to: group) }
  }

  /// Takes the report of a group.
  func take(_ report: TrialReport, from group: Int) throws(RunFailure) {
    if report.trial != nil { busy[group] = nil }
    switch report.outcome {
    case .done(let result):
      guard let trial = report.trial else { return }
      do {
        try Deadline.during(.saving) { try record(trial, result) }
      } catch {
        try stop(after: RunFailure(error))
      }
    case .interrupted:
      if let trial = report.trial { interrupted.append(trial) }
      try stop(after: nil)
    case .failed(let failure):
      try stop(after: failure)
    }
  }

  /// Begins no more trials, and asks the groups to save theirs.
  private func stop(after failure: RunFailure?) throws(RunFailure) {
    if let failure, self.failure == nil { self.failure = (failure, .now) }
    guard !isStopping else { return }
    isStopping = true
    for group in busy.keys where group != 0 { try channel.sendStop(to: group * ranksEach) }
  }

  /// The order for all ranks once no trial is in progress.
  private var last: TrialOrder {
    if let failure { return .fail(failure.failure) }
    guard isStopping else { return .finish }
    let names = interrupted.sorted().map(SweepRecord.name(trial:))
    let place =
      switch names.count {
      case 0: "between two trials"
      case 1: "at \(names[0]), which is saved"
      default: "at \(names.joined(separator: ", ")), which are saved"
      }
    return .fail(
      RunFailure(
        .preempted,
        "interrupted by a signal \(place); continue with the same command and --resume"))
  }

  private func give(_ order: TrialOrder, to group: Int) throws(RunFailure) {
    for rank in group * ranksEach..<(group + 1) * ranksEach {
      if rank == 0 { ownOrder = order } else { try channel.send(order, to: rank) }
    }
  }
}
