// SPDX-License-Identifier: Apache-2.0

import Configuration
import Foundation
import Models
import Reports
import Tensors
import TrainingSteps

/// The reports of a run: metrics, TensorBoard's events, the ranks' logs, progress.
extension Trainer {
  func openRun() throws(RunFailure) {
    let log = RankLog(run, rank: session.communicator.rank)
    log.say("\(session.placeSummary); from step \(state.step)")
    rankLog = log
    try session.agreement.together {
      guard isRoot else { return }
      // At an epoch's end, the checkpoint may predate the record of its own step.
      let isBeforeRecord =
        state.interval.elements > 0
        && state.batch >= session.workload.stream.steps(inEpoch: state.epoch)
      let lastReported = isBeforeRecord ? state.step - 1 : state.step
      metrics = try MetricsLog(
        run.metrics, keepingThrough: lastReported, epochs: state.epoch)
      tensorBoard = try TensorBoardLog(in: run.path, from: lastReported + 1)
      try tensorBoard?.begin(
        with: configuration.hyperparameters, configuration: configuration.yaml)
    }
  }

  /// Writes the results of the steps since the last report, and resets the counts.
  ///
  /// - Parameter isInterval: whether the ranks' logs get a line as well; they have one for the end of
  ///   an epoch already
  /// - Returns: the same as text
  func report(isInterval: Bool = true) throws(RunFailure) -> String {
    let seconds = clock.elapsed
    var record = MetricsRecord(step: state.step, epoch: state.epoch + 1, split: "train")
    session.add(state.interval, to: &record)
    record.add("gradient_norm", state.gradientNorm)
    record.add("learning_rate", configuration.optimizer.learningRate * state.rateFactor)
    session.addSpeed(clock.done, seconds: seconds, to: &record)
    record.add("seconds", runSeconds)
    for (phase, share) in clock.shares { record.add(phase.key, share) }
    try write(record)
    if isInterval { rankLog?.say(step: state.step, seconds: seconds, shares: clock.shares) }
    let text =
      "\(place)  \(session.describe(state.interval))"
      + "  \(session.describeSpeed(clock.done, seconds: seconds))"
    state.interval = Totals()
    clock.restart()
    return text
  }

  /// Shows a report.
  func showReport(_ text: String) {
    let (fraction, remaining) = outlook
    progress.show(text, fraction: fraction, remaining: remaining)
  }

  /// Prints the results of an epoch, in validation and in training.
  func sayEpoch(validation: Totals?, isBest: Bool) {
    // False if the run was resumed from a checkpoint of an older version, at the epoch's end.
    let hasTraining = state.epochTotals.elements > 0
    let training = hasTraining ? "training \(session.describe(state.epochTotals))" : ""
    guard let validation else {
      if hasTraining { progress.say("epoch \(state.epoch)  \(training)") }
      return
    }
    progress.say(
      "epoch \(state.epoch)  validation \(session.describe(validation))"
        + (hasTraining ? "  (\(training))" : "") + (isBest ? "  best so far" : ""))
  }

  /// Shows the progress of the run between two reports, on a terminal.
  func showProgress() {
    let (fraction, remaining) = outlook
    var parts = [place]
    if state.interval.elements > 0 { parts.append(session.describe(state.interval)) }
    if clock.done.elements > 0 {
      parts.append(session.describeSpeed(clock.done, seconds: clock.elapsed))
    }
    progress.update(
      parts.joined(separator: "  "), fraction: fraction, remaining: remaining)
  }

  private var place: String {
    "step \(state.step)/\(lastStep)  epoch \(state.epoch + 1)"
  }

  /// The share of the run that is done, and the seconds to its end, which are unknown before the
  /// first step of this process.
  private var outlook: (fraction: Double, remaining: Double) {
    let perStep = (ContinuousClock().now - started).seconds / Double(max(stepsThisRun, 1))
    let steps = stepsThisRun > 0 ? Double(lastStep - state.step) : 0
    return (Double(state.step) / Double(max(lastStep, 1)), perStep * steps)
  }

  /// Seconds that the run has taken so far, including those before a resume.
  var runSeconds: Double { state.secondsBefore + (ContinuousClock().now - started).seconds }

  /// Prints the results since the last report, for a run that ends between two reports. The metrics
  /// get no record of them: a run that continues from here must write the same records as an
  /// uninterrupted run.
  func sayLastFigures() {
    guard stepsThisRun > 0, state.interval.elements > 0 else { return }
    // At an epoch's end, the epoch count is already that of the next one.
    let epoch = state.batch == 0 ? state.epoch : state.epoch + 1
    progress.say("step \(state.step)  epoch \(epoch)  \(session.describe(state.interval))")
  }

  /// Tells TensorBoard how the run ended. A run that can be resumed has not ended.
  func sayEnd(_ ending: Ending) throws(RunFailure) {
    guard [.finished, .stoppedEarly, .reachedMaximumSteps].contains(ending) else { return }
    try session.agreement.together { try tensorBoard?.end(well: true) }
  }

  /// Writes histograms of the step just taken, if they are due: of every parameter, and of the
  /// gradient that changed it. All ranks call this.
  func writeHistograms() throws(RunFailure) {
    let every = configuration.log.histogramSteps
    guard every > 0, state.step % every == 0 else { return }
    try session.agreement.together {
      guard let tensorBoard else { return }
      let gradients = ParameterBuffer(session.parameters.layout, over: session.step.gradient)
      let parts = [("weights", session.parameters), ("gradients", gradients)]
      let histograms = parts.flatMap { name, buffer in
        buffer.layout.entries.compactMap { entry in
          Histogram(buffer[entry].array).map { (tag: "\(name)/\(entry.name)", histogram: $0) }
        }
      }
      try tensorBoard.append(histograms, step: state.step)
    }
  }

  /// Writes a record on rank 0; a full disk there ends all ranks.
  func write(_ record: MetricsRecord) throws(RunFailure) {
    try session.agreement.together {
      try metrics?.append(record)
      try tensorBoard?.append(record)
    }
  }
}
