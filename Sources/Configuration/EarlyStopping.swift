// SPDX-License-Identifier: Apache-2.0

/// The measure that decides which epoch was the best on validation.
public enum StoppingMetric: String, ConfigurationChoice {
  /// The mean loss, lower is better.
  case loss
  /// The share of right answers.
  case accuracy
  /// The mean F1 over classes.
  case macroF1 = "macro_f1"
  /// The mean recall over classes.
  case balancedAccuracy = "balanced_accuracy"
  /// The mean area under the ROC curve, one class against the rest.
  case auc
  /// The share of rows whose known labels are all right.
  case subsetAccuracy = "subset_accuracy"
  /// The share of answers among the five likeliest classes.
  case topFiveAccuracy = "top_5_accuracy"
  /// The mean absolute error, lower is better.
  case mae
  /// R², the share of the variance that is explained.
  case r2
  /// The information about spikes beyond each neuron's mean rate.
  case bitsPerSpike = "bits_per_spike"

  /// Whether it depends on the order of all answers, and not on sums over them.
  public var needsRanking: Bool { self == .auc || self == .topFiveAccuracy }

  /// Whether larger values are better.
  public var isLargerBetter: Bool { self != .loss && self != .mae }
}

extension TrainingConfiguration {
  /// Decides when to end before the last epoch, and which epoch counts as the best.
  public struct EarlyStopping: ConfigurationSection, Equatable {
    public var patience = 0
    public var metric = StoppingMetric.loss

    /// Whether to stop after these validation scores, one per epoch, lower is better: true if none
    /// of the last `patience` is below the best before them.
    public func isDue(_ losses: [Double]) -> Bool {
      guard patience > 0, losses.count > patience else { return false }
      let best = losses.dropLast(patience).min() ?? .infinity
      return losses.suffix(patience).allSatisfy { !($0 < best) }
    }

    public init() {}

    public mutating func visit(
      _ visitor: inout some ConfigurationVisitor
    ) throws(ConfigurationError) {
      try visitor.field(
        "patience", &patience,
        "stop after this many epochs without a better validation loss; 0 never", .atLeast(0),
        effect: .nothing)
      try visitor.field(
        "metric", &metric,
        "the validation score for the best checkpoint and patience: the loss, or a metric of the"
          + " task", effect: .nothing)
    }
  }
}
