// SPDX-License-Identifier: Apache-2.0

import Checkpoints
import Models

/// The position of a run: what a checkpoint holds in addition to parameters and optimizer state.
struct TrainingState {
  /// Optimizer steps taken.
  var step = 0
  /// The current epoch, from 0.
  var epoch = 0
  /// The number of completed batches of the current epoch.
  var batch = 0
  /// The names of the objective's own sums.
  let sums: [String]
  /// The totals since the last report, so that a resumed run reports the same numbers.
  var interval = Totals()
  /// The totals of the current epoch, for the line at its end.
  var epochTotals = Totals()
  /// The norm of the gradient in the last step.
  var gradientNorm = 0.0
  /// The multiplier of the learning rates in the last step.
  var rateFactor = 1.0
  /// The validation loss of each epoch so far, for schedules and NT-ASGD.
  var validationLosses: [Double] = []
  /// The lowest of them and its step; no step before the first.
  var bestLoss = Double.infinity
  var bestStep: Int?
  /// Seconds that the run had taken before it was resumed.
  var secondsBefore = 0.0
  /// The step of the newest complete checkpoint; nil before the first. Checkpoints do not hold it.
  var savedStep: Int?
  /// The step of the newest checkpoint, which may still be in progress, if it has the current
  /// state; nil if none has it. Checkpoints do not hold it.
  var savingStep: Int?

  fileprivate enum Key: String {
    case bestLoss = "best_validation_loss"
    case seconds
    case gradientNorm = "gradient_norm"
    case rateFactor = "rate_factor"
  }

  init(sums: [String] = []) {
    self.sums = sums
  }

  /// The prefix of the keys of totals.
  private static let intervalPrefix = "interval_"
  private static let epochPrefix = "epoch_"

  /// The key of the validation loss of an epoch, from 1.
  private static func validationKey(_ epoch: Int) -> String { "validation_loss_\(epoch)" }

  /// The numbers that go into a checkpoint's manifest. JSON has no infinity, so a best loss that
  /// does not exist yet is left out.
  ///
  /// - Parameter seconds: how long the run has taken so far
  func progress(seconds: Double) -> [String: Double] {
    // The record at the end of an epoch may be written after a resume and before a step.
    var values: [Key: Double] = [
      .seconds: seconds, .gradientNorm: gradientNorm, .rateFactor: rateFactor,
    ]
    if bestLoss.isFinite { values[.bestLoss] = bestLoss }
    var all = Dictionary(uniqueKeysWithValues: values.map { ($0.rawValue, $1) })
    if bestLoss.isFinite { all[CheckpointManifest.bestStepKey] = bestStep.map(Double.init) }
    for (prefix, totals) in [(Self.intervalPrefix, interval), (Self.epochPrefix, epochTotals)] {
      all["\(prefix)loss"] = totals.loss
      all["\(prefix)elements"] = totals.elements
      all["\(prefix)weight"] = totals.weight
      all["\(prefix)sequences"] = totals.sequences
      for (name, sum) in zip(sums, totals.own) { all["\(prefix)\(name)"] = sum }
    }
    for (index, loss) in validationLosses.enumerated() {
      all[Self.validationKey(index + 1)] = loss
    }
    return all
  }

  /// Restores the numbers of a manifest.
  mutating func restore(step: Int, epoch: Int, batch: Int, progress: [String: Double]) {
    func value(_ key: Key) -> Double { progress[key.rawValue] ?? 0 }
    self.step = step
    self.epoch = epoch
    self.batch = batch
    interval = totals(Self.intervalPrefix, progress)
    // Older checkpoints lack these totals, so the epoch's totals start here.
    epochTotals = totals(Self.epochPrefix, progress)
    bestLoss = progress[Key.bestLoss.rawValue] ?? .infinity
    bestStep = progress[CheckpointManifest.bestStepKey].flatMap { Int(exactly: $0) }
    secondsBefore = max(value(.seconds), 0)
    gradientNorm = value(.gradientNorm)
    rateFactor = progress[Key.rateFactor.rawValue] ?? 1
    savedStep = step
    savingStep = step
    validationLosses = []
    while let loss = progress[Self.validationKey(validationLosses.count + 1)] {
      validationLosses.append(loss)
    }
  }

  /// The totals whose keys begin with `prefix`.
  private func totals(_ prefix: String, _ progress: [String: Double]) -> Totals {
    let elements = progress["\(prefix)elements"] ?? 0
    return Totals(
      loss: progress["\(prefix)loss"] ?? 0, elements: elements,
      // Older checkpoints lack this sum; every element had weight 1.
      weight: progress["\(prefix)weight"], sequences: progress["\(prefix)sequences"] ?? 0,
      own: sums.map { name in
        // The oldest checkpoints lack this count; every answer was scored.
        progress["\(prefix)\(name)"] ?? (name == "judged" ? elements : 0)
      })
  }
}
