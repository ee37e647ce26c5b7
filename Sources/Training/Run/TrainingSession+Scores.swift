// SPDX-License-Identifier: Apache-2.0

import Configuration
import Models
import MPI

extension TrainingSession {
  /// The confusion matrix, a row for each class, of an evaluation so far on all ranks; nil if the
  /// answer is not a class of the sequence. All ranks call this and get the same.
  func confusion(of evaluation: Evaluation) throws(RunFailure) -> [[Int]]? {
    guard let confusion = evaluation.confusion, confusion.answers == .classes else { return nil }
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

  /// The probabilities of all answers of an evaluation on all ranks, if they are kept. All ranks call
  /// this and get the same.
  func ranking(of evaluation: Evaluation) throws(RunFailure) -> AnswerRanking? {
    guard let own = evaluation.confusion?.ranking else { return nil }
    do {
      // Before they are sent: figures of a part would not be those of all.
      var count = [own.probabilities.count]
      var span = count.mutableSpan
      try communicator.allreduce(&span)
      guard count[0] < AnswerRanking.most else { return nil }
      let bits = own.probabilities.map(\.bitPattern)
      let probabilities = try gathered(bits).map { Float(bitPattern: $0) }
      let truths = try gathered(own.truths.map { UInt32(bitPattern: $0) })
      return AnswerRanking(
        classes: own.classes, of: own.answers, probabilities: probabilities,
        truths: truths.map { Int32(bitPattern: $0) })
    } catch {
      throw RunFailure(error)
    }
  }

  /// The numbers of all ranks, one rank after the other.
  private func gathered(_ numbers: [UInt32]) throws(MPIError) -> [UInt32] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(4 * numbers.count)
    for number in numbers {
      for byte in 0..<4 { bytes.append(UInt8(truncatingIfNeeded: number >> UInt32(8 * byte))) }
    }
    return try communicator.allgather(bytes).flatMap { bytes in
      stride(from: 0, to: bytes.count, by: 4).map { start in
        (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[start + $1]) << UInt32(8 * $1) }
      }
    }
  }

  /// The score that selects the best epoch, lower is better: the validation loss, or a metric.
  ///
  /// - Parameter evaluation: the one that gave the totals; its counts of answers are reset
  func score(_ totals: Totals, _ evaluation: Evaluation) throws(RunFailure) -> Double {
    let metric = configuration.earlyStopping.metric
    guard metric != .loss else { return totals.meanLoss }
    var metrics = task.objective.metrics(totals)
    metrics += try confusion(of: evaluation).map { ClassScores(confusion: $0).metrics } ?? []
    metrics += try ranking(of: evaluation)?.metrics ?? []
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
      + (evaluation.confusion.map {
        ($0.answers == .classes ? none.metrics.map(\.key) : [])
          + AnswerRanking.keys(classes: $0.classes, of: $0.answers)
      } ?? [])
    let known = StoppingMetric.allCases.map(\.rawValue).filter { $0 == "loss" || keys.contains($0) }
    guard !known.contains(metric.rawValue) else { return }
    throw RunFailure(
      .configuration,
      "early_stopping.metric is \(metric.rawValue), which dataset.task=\(configuration.dataset.task.rawValue)"
        + " does not have; choose \(known.joined(separator: ", "))")
  }
}
