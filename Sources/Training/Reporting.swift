// SPDX-License-Identifier: Apache-2.0

import Configuration
import Foundation
import Models
import Reports

// Connects reports to configurations and tasks, which the module Reports does not know.

extension TrainingConfiguration {
  /// Every key with its value, for a report.
  var reported: [ReportedKey] { keys.map { ReportedKey($0.path, $0.value) } }

  fileprivate static func reported(_ yaml: String, _ path: String) -> [ReportedKey]? {
    try? TrainingConfiguration(yaml: yaml, path: path, isResolved: true).reported
  }
}

extension RunRecord {
  /// Reads a run's folder.
  ///
  /// - Throws: if there is neither a configuration nor a metrics file
  public init(_ path: String) throws(RunFailure) {
    do throws(ReportError) {
      try self.init(path, configuration: TrainingConfiguration.reported)
    } catch {
      throw RunFailure(error)
    }
  }

  /// The runs at a path: the run itself, or each run of a series of seeds or of a sweep.
  public static func all(at path: String) throws(RunFailure) -> [RunRecord] {
    do throws(ReportError) {
      return try all(at: path, configuration: TrainingConfiguration.reported)
    } catch {
      throw RunFailure(error)
    }
  }
}

extension RunList {
  /// Finds the runs in a folder and in folders within it.
  public init(below folder: String) {
    self.init(below: folder, configuration: TrainingConfiguration.reported)
  }
}

extension ReportPage {
  /// Makes the page of some runs of this program.
  public init(
    _ runs: [RunRecord], gradients: [ProbeCurve] = [],
    series: [(path: String, summary: SeedSummary)] = [],
    sweeps: [(path: String, record: SweepRecord)] = []
  ) {
    self.init(
      runs, defaults: TrainingConfiguration().reported, version: programVersion,
      gradients: gradients, series: series, sweeps: sweeps)
  }
}

extension EvaluationRecord {
  /// Scores that show whether rare classes are learned: "macro F1 28.10 %  balanced accuracy 30.00
  /// %"; nil if the answer is neither a class nor labels.
  public var classScores: String? {
    // Those of tags and labels are among the task's own.
    var all = confusion.map { ClassScores(confusion: $0).metrics } ?? []
    if let auc = metrics["auc"] { all.append(Metric("auc", auc, .named("AUC"))) }
    if let top = metrics["top_5_accuracy"] {
      all.append(Metric("top_5_accuracy", top, .percentage("top-5 accuracy")))
    }
    return all.isEmpty ? nil : all.map(\.text).joined(separator: "  ")
  }

  /// The accuracy of always predicting the most frequent class; nil if the answer is not a class.
  public var majority: String? {
    guard let confusion, let majority = ClassScores(confusion: confusion).majority else {
      return nil
    }
    let name = classNames.map { $0[majority.number] } ?? "class \(majority.number)"
    return "always \(name) is right for " + String(format: "%.2f %%", 100 * majority.share)
  }

  /// The baseline loss, if the record has it.
  public var chance: ChanceLoss? {
    guard let chanceLoss, let chanceMeaning else { return nil }
    return ChanceLoss(chanceLoss, chanceMeaning)
  }
}
