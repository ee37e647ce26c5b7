// SPDX-License-Identifier: Apache-2.0

import Configuration
import Datasets
import Foundation
import Models

/// Symbols to be repeated after a delay (copying), or to be found among blanks first (denoise):
/// generated, or from a file that `prepare copying` or `prepare denoise` made.
struct RecallTask: SequenceTask {
  private let placement: RecallProblem.Placement
  private let settings: TrainingConfiguration.Dataset

  init(_ placement: RecallProblem.Placement, _ configuration: TrainingConfiguration.Dataset) {
    self.placement = placement
    settings = configuration
  }

  /// The accuracy is over the symbols to be recalled; so is the loss if `dataset.loss` is
  /// `recalled`.
  var objective: any Objective {
    switch settings.loss {
    case .all: CrossEntropy(unjudgedClass: RecallProblem.blank)
    case .recalled: CrossEntropy(ignoredClass: RecallProblem.blank)
    }
  }
  var lossName: String {
    settings.loss == .all ? "cross-entropy per step" : "cross-entropy per recalled symbol"
  }

  var generatedSettings: String? {
    "steps=\(settings.steps) symbols=\(settings.symbols) alphabet=\(settings.alphabet)"
  }

  /// The loss of a model without memory.
  func chance(on source: any SequenceSource) -> ChanceLoss? {
    if settings.loss == .recalled {
      // The blank is one of the classes, but never a target here.
      let alphabet = source.targetKind.outputs - 1
      return alphabet > 0 ? ChanceLoss(log(Double(alphabet)), "ln \(alphabet), guessing") : nil
    }
    return switch source {
    case let problem as RecallProblem: ChanceLoss(problem.chanceLoss, RecallProblem.chanceMeaning)
    case let file as SequenceFileSource: file.chance.map { ChanceLoss($0.loss, $0.meaning) }
    default: nil
    }
  }

  func source(_ part: DatasetFile.Part) throws -> any SequenceSource {
    guard settings.file.isEmpty else {
      return try SequenceFileSource(settings.place, task: placement.rawValue, part: part)
    }
    // The sequences do not depend on the run's seed, so that runs are comparable.
    return RecallProblem(
      placement, count: settings.count(of: part), delay: settings.steps,
      symbols: settings.symbols, alphabet: settings.alphabet, seed: 0, part: part)
  }
}
