// SPDX-License-Identifier: Apache-2.0

/// The measure that decides which epoch was the best on validation.
public enum StoppingMetric: String, ConfigurationChoice {
  case loss
  case accuracy
  case macroF1 = "macro_f1"
  case balancedAccuracy = "balanced_accuracy"
  case auc
  case subsetAccuracy = "subset_accuracy"
  case topFiveAccuracy = "top_5_accuracy"
  case mae
  case r2
  case bitsPerSpike = "bits_per_spike"

  /// Whether it depends on the order of all answers, and not on sums over them.
  public var needsRanking: Bool { self == .auc || self == .topFiveAccuracy }

  /// Whether larger values are better.
  public var isLargerBetter: Bool { self != .loss && self != .mae }
}

extension TrainingConfiguration {
  /// When to end before the last epoch, and which epoch counts as the best.
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
