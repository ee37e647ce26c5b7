// SPDX-License-Identifier: Apache-2.0

import Liveness
import Models

/// Measures how a run spends its time.
struct StepClock {
  enum Phase: Int, CaseIterable {
    case data, compute, reduction, checkpoint

    /// Its name in a log.
    var name: String { String(key.dropFirst("share_".count)) }

    /// The key of its share in a metrics record.
    var key: String {
      switch self {
      case .data: "share_data"
      case .compute: "share_compute"
      case .reduction: "share_reduction"
      case .checkpoint: "share_checkpoint"
      }
    }

    /// The phase that other ranks see.
    var deadlinePhase: Liveness.Phase {
      switch self {
      case .data: .readingData
      case .compute: .computing
      case .reduction: .reducing
      case .checkpoint: .saving
      }
    }
  }

  private let clock = ContinuousClock()
  private var spent = [Double](repeating: 0, count: Phase.allCases.count)
  private var start: ContinuousClock.Instant
  /// The totals of the interval's steps. Speed is this divided by `elapsed`: both leave out the
  /// same time.
  private(set) var done = Totals()

  init() {
    start = clock.now
  }

  /// Runs `body` and adds its time to a phase.
  mutating func measure<Result, Failure: Error>(
    _ phase: Phase, _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let before = clock.now
    defer { spent[phase.rawValue] += (clock.now - before).seconds }
    return try Deadline.during(phase.deadlinePhase, body)
  }

  /// Counts a step into the interval.
  mutating func count(_ totals: Totals) {
    done = done + totals
  }

  /// A moment of the interval, for `leaveOut(since:)`.
  struct Mark {
    fileprivate let instant: ContinuousClock.Instant
    fileprivate let spent: [Double]
  }

  var mark: Mark { Mark(instant: clock.now, spent: spent) }

  /// Excludes from the interval everything since a moment in it, such as a validation.
  mutating func leaveOut(since mark: Mark) {
    start += clock.now - mark.instant
    spent = mark.spent
  }

  /// Seconds since the start of the interval.
  var elapsed: Double { (clock.now - start).seconds }

  /// The share of the interval that each phase took.
  var shares: [(Phase, Double)] {
    let total = max(elapsed, .leastNormalMagnitude)
    return Phase.allCases.map { ($0, spent[$0.rawValue] / total) }
  }

  /// Starts a new interval.
  mutating func restart() {
    self = StepClock()
  }
}

extension Duration {
  /// The duration in seconds.
  var seconds: Double {
    Double(components.seconds) + Double(components.attoseconds) * 1e-18
  }
}
