import Configuration
import Models
import MPI

extension TrainingSession {
  /// The confusion matrix, a row for each class, of an evaluation so far on all ranks; nil if the
  /// answer is not a class of the sequence. All ranks call this and get the same.
  func confusion(of evaluation: Evaluation) throws(RunFailure) -> [[Int]]? {
    guard let confusion = evaluation.confusion else { return nil }
    let whole = ConfusionCounts(classes: confusion.classes)
    do {
      // Whole numbers: the order of addition does not matter.
      var counts = confusion.counts
      var span = counts.mutableSpan
      try communicator.allreduce(&span)
      whole.counts = counts
    } catch {
      throw RunFailure(error)
    }
    return whole.rows
  }

  /// The score that selects the best epoch, lower is better: the validation loss, or a metric.
  ///
  /// - Parameter evaluation: the one that gave the totals; its counts of answers are reset
  func score(_ totals: Totals, _ evaluation: Evaluation) throws(RunFailure) -> Double {
    let metric = configuration.earlyStopping.metric
    guard metric != .loss else { return totals.meanLoss }
    var metrics = task.objective.metrics(totals)
    metrics += try confusion(of: evaluation).map { ClassScores(confusion: $0).metrics } ?? []
    evaluation.confusion?.clear()
    let value = metrics.first { $0.key == metric.rawValue }?.value ?? .nan
    // NaN, such as R2 over one sequence, is never the best; checkpoints cannot hold infinity.
    guard value.isFinite else { return .greatestFiniteMagnitude }
    return metric.isLargerBetter ? -value : value
  }

  /// Refuses a metric that the task does not have.
  func checkStoppingMetric(_ evaluation: Evaluation?) throws(RunFailure) {
    let metric = configuration.earlyStopping.metric
    guard metric != .loss else { return }
    guard let evaluation else {
      throw RunFailure(
        .configuration,
        "early_stopping.metric is \(metric.rawValue), but dataset.validation_count is 0; hold some"
          + " sequences out")
    }
    let none = ClassScores(actual: [], predicted: [], right: [])
    let keys =
      task.objective.metrics(task.objective.noTotals).map(\.key)
      + (evaluation.confusion == nil ? [] : none.metrics.map(\.key))
    let known = StoppingMetric.allCases.map(\.rawValue).filter { $0 == "loss" || keys.contains($0) }
    guard !known.contains(metric.rawValue) else { return }
    throw RunFailure(
      .configuration,
      "early_stopping.metric is \(metric.rawValue), which dataset.task=\(configuration.dataset.task.rawValue)"
        + " does not have; choose \(known.joined(separator: ", "))")
  }
}
