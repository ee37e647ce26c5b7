// SPDX-License-Identifier: Apache-2.0

import Files
import Foundation

/// The trials of a sweep, and their results.
///
///     SWEEP/sweep.json  SWEEP/trial-001  SWEEP/trial-002  ...
public struct SweepRecord: Codable, Sendable, Equatable {
  /// A key of the configuration and its value.
  public struct Setting: Codable, Sendable, Equatable {
    /// The full name: "optimizer.learning_rate".
    public var key: String
    /// The value as text.
    public var value: String

    public init(key: String, value: String) {
      (self.key, self.value) = (key, value)
    }
  }

  /// The state of a trial.
  public enum State: String, Codable, Sendable {
    /// Not yet trained, or to be continued after a rung.
    case waiting
    /// Trained to the last rung.
    case finished
    /// Dropped, because other trials were better at a rung.
    case dropped
    /// Its loss or its gradients were not finite.
    case diverged
  }

  /// A trial: its settings, and the state of its run.
  public struct Trial: Codable, Sendable, Equatable {
    /// The settings of the trial.
    public var settings: [Setting]
    /// The state of the trial.
    public var state = State.waiting
    /// The best validation score at the end of each rung, lower is better.
    public var scores: [Double] = []
    /// The step of the best checkpoint.
    public var step: Int?
    /// The results of that checkpoint: "validation_loss", "validation_accuracy".
    public var values: [String: Double] = [:]

    public init(settings: [Setting]) { self.settings = settings }
  }

  /// The score that compares trials; lower is better unless `isLargerBetter`.
  public var metric: String
  /// Whether the best trial has the largest score.
  public var isLargerBetter: Bool
  /// The epochs at which trials are compared.
  public var rungs: [Int]
  /// One trial in `factor` continues after a rung; 1 continues all.
  public var factor: Int
  /// The trials by number, the first one is trial-001.
  public var trials: [Trial]
  /// The configuration that all trials share, as YAML; nil in the records of older versions.
  public var base: String?

  public init(
    metric: String, isLargerBetter: Bool, rungs: [Int], factor: Int, trials: [[Setting]]
  ) {
    (self.metric, self.isLargerBetter) = (metric, isLargerBetter)
    (self.rungs, self.factor) = (rungs, factor)
    self.trials = trials.map { Trial(settings: $0) }
  }

  // MARK: Files

  /// The path of a sweep's record.
  public static func path(_ sweep: String) -> String { "\(sweep)/sweep.json" }

  /// The folder of a trial, from 0.
  public static func folder(_ sweep: String, trial: Int) -> String {
    "\(sweep)/\(name(trial: trial))"
  }

  /// The name of a trial: "trial-001".
  public static func name(trial: Int) -> String {
    let number = String(trial + 1)
    return "trial-" + String(repeating: "0", count: max(0, 3 - number.count)) + number
  }

  /// The folders of the trials that have begun.
  public func startedFolders(in sweep: String) -> [String] {
    trials.indices.map { Self.folder(sweep, trial: $0) }.filter(DurableFiles.isFolder)
  }

  /// Reads the record of a sweep; nil if there is none that can be read.
  public init?(at sweep: String) {
    guard let data = DurableFiles.ordinaryContents(of: Self.path(sweep)),
      var record = try? JSONDecoder().decode(Self.self, from: data)
    else { return nil }
    for index in record.trials.indices {
      record.trials[index].values = record.trials[index].values
        .filter { MetricsRecord.isKey($0.key) && $0.value.isFinite }
    }
    self = record
  }

  /// Writes the record, whole or not at all.
  public func write(to sweep: String) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    try DurableFiles.write(
      String(decoding: try encoder.encode(self), as: UTF8.self) + "\n", to: Self.path(sweep))
  }

  /// Whether this is the record of the same trials, regardless of their results.
  public func isOfSameTrials(as other: SweepRecord) -> Bool {
    metric == other.metric && rungs == other.rungs && factor == other.factor
      && (base == nil || other.base == nil || base == other.base)
      && trials.map(\.settings) == other.trials.map(\.settings)
  }

  // MARK: Order

  /// The trials that train in a rung, from 0: all, or those that were best at the one before.
  public func entrants(of rung: Int) -> [Int] {
    guard rung > 0 else { return Array(trials.indices) }
    let before = entrants(of: rung - 1)
    let scored = before.filter { trials[$0].scores.count >= rung }
    let kept = max((before.count + factor - 1) / factor, 1)
    return scored.sorted { (trials[$0].scores[rung - 1], $0) < (trials[$1].scores[rung - 1], $1) }
      .prefix(kept).sorted()
  }

  /// The numbers of all trials, the best first: trials that reached a later rung come first.
  public var ranking: [Int] {
    trials.indices.sorted { a, b in
      let (first, second) = (trials[a].scores, trials[b].scores)
      if first.count != second.count { return first.count > second.count }
      return (first.last ?? .infinity, a) < (second.last ?? .infinity, b)
    }
  }

  /// The score of a trial in the metric's own direction; nil if it has none.
  public func metricValue(_ trial: Int) -> Double? {
    trials[trial].scores.last.map { isLargerBetter ? -$0 : $0 }
  }

  /// The keys of the configuration that differ between the trials.
  var keys: [String] { trials.first?.settings.map(\.key) ?? [] }

  /// The names of the `values` of any trial, without that of the score.
  var metricKeys: [String] {
    Set(trials.flatMap(\.values.keys)).filter { $0 != "validation_\(metric)" }.sorted()
  }

  /// The table of the trials, the best first, under a row of titles.
  ///
  /// - Parameter text: a value of a metric as text; nil if a trial has none
  func rows(_ text: (_ value: Double?, _ metric: String) -> String) -> [[String]] {
    let metrics = metricKeys
    let titles =
      ["trial", "state", "step"] + keys + ["best \(MetricName.shown(metric))"]
      + metrics.map(MetricName.shown)
    return [titles]
      + ranking.map { index in
        let trial = trials[index]
        return [Self.name(trial: index), trial.state.rawValue, trial.step.map(String.init) ?? "–"]
          + trial.settings.map(\.value) + [text(metricValue(index), metric)]
          + metrics.map { text(trial.values[$0], $0) }
      }
  }

  /// The table of the trials as text, the best first.
  ///
  /// - Parameter columns: the width of the terminal, for which metrics are left out; nil is none
  public func table(columns: Int? = nil) -> String {
    let rows = rows { value, _ in value.map { brief($0) } ?? "–" }
    let first = 4 + keys.count
    return plainTable(
      rows, columns: columns, sparing: rows[0].indices.dropFirst(first).reversed() + [2])
  }
}
