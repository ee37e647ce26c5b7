// SPDX-License-Identifier: Apache-2.0

import Configuration
import Datasets
import Models
import Reports

// Training and validation on a few sequences: a model that cannot learn those will learn nothing.
extension TrainingConfiguration.Dataset {
  /// Whether a run trains and validates on the first sequences of its training part only. A file
  /// that is measured alone is measured whole.
  var isOverfitted: Bool { overfit > 0 && measured == nil }

  /// The sequences to train on, of those of the training part.
  func overfitted(
    _ source: any SequenceSource
  ) throws(ConfigurationError) -> any SequenceSource {
    guard isOverfitted else { return source }
    guard overfit <= source.count else {
      throw ConfigurationError(
        "dataset.overfit is \(overfit), but there are \(source.count) training sequences; take fewer"
      )
    }
    return SubsetSource(source, indices: Array(0..<overfit))
  }
}

extension Trainer {
  /// The result of training on a few sequences: the lowest loss in validation, and the baseline.
  /// Nil if the run trains on all sequences, or if either number is unknown.
  public var overfitSummary: String? {
    let dataset = configuration.dataset
    guard dataset.isOverfitted, configuration.earlyStopping.metric == .loss, let best else {
      return nil
    }
    let sequences = dataset.overfit == 1 ? "the sequence" : "the \(dataset.overfit) sequences"
    let found = "overfit: the lowest loss on \(sequences) is \(brief(best.loss))"
    guard let chance = session.workload.stream.chance, chance.value > 0 else { return found }
    let share = best.loss / chance.value
    return found + ", \(brief(100 * share, digits: 2)) % of the baseline"
      + (share > 0.5
        ? ": not learned yet; raise epochs, change optimizer.learning_rate, or check the data" : "")
  }
}
