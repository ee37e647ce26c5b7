import Configuration
import Foundation
import Models
import Reports

/// What a run tells of itself: metrics, TensorBoard's events, the ranks' logs, progress.
extension Trainer {
  func openRun() throws(RunFailure) {
    let log = RankLog(run, rank: session.communicator.rank)
    log.say("\(session.placeSummary); from step \(state.step)")
    rankLog = log
    try session.agreement.together {
      guard isRoot else { return }
      metrics = try MetricsLog(
        run.metrics, keepingThrough: state.step, epochs: state.epoch)
      tensorBoard = try TensorBoardLog(in: run.path, from: state.step + 1)
    }
  }

  func report(lastStep: Int) throws(RunFailure) {
    let seconds = clock.elapsed
    var record = MetricsRecord(step: state.step, epoch: state.epoch + 1, split: "train")
    session.add(state.interval, to: &record)
    record.add("gradient_norm", state.gradientNorm)
    record.add("learning_rate", configuration.optimizer.learningRate * state.rateFactor)
    session.addSpeed(clock.done, seconds: seconds, to: &record)
    record.add("seconds", runSeconds)
    for (phase, share) in clock.shares { record.add(phase.key, share) }
    try write(record)
    rankLog?.say(step: state.step, seconds: seconds, shares: clock.shares)
    let (fraction, remaining) = outlook(lastStep: lastStep)
    progress.show(
      "\(place(lastStep: lastStep))  \(session.describe(state.interval))"
        + "  \(session.describeSpeed(clock.done, seconds: seconds))",
      fraction: fraction, remaining: remaining)
    state.interval = Totals()
    clock.restart()
  }

  /// Shows where the run is between two reports, on a terminal.
  func showProgress(lastStep: Int) {
    let (fraction, remaining) = outlook(lastStep: lastStep)
    var parts = [place(lastStep: lastStep)]
    if state.interval.elements > 0 { parts.append(session.describe(state.interval)) }
    if clock.done.elements > 0 {
      parts.append(session.describeSpeed(clock.done, seconds: clock.elapsed))
    }
    progress.update(
      parts.joined(separator: "  "), fraction: fraction, remaining: remaining)
  }

  private func place(lastStep: Int) -> String {
    "step \(state.step)/\(lastStep)  epoch \(state.epoch + 1)"
  }

  /// The share of the run that is done, and the seconds to its end; before the first step of this
  /// process nothing is known of them.
  private func outlook(lastStep: Int) -> (fraction: Double, remaining: Double) {
    let perStep = (ContinuousClock().now - started).seconds / Double(max(stepsThisRun, 1))
    let steps = stepsThisRun > 0 ? Double(lastStep - state.step) : 0
    return (Double(state.step) / Double(max(lastStep, 1)), perStep * steps)
  }

  /// Seconds that the run has taken so far, before a resume too.
  var runSeconds: Double { state.secondsBefore + (ContinuousClock().now - started).seconds }

  /// Says what the steps since the last report came to, of a run that ends between two. The metrics
  /// get no record of it: a run that continues from here makes those of a run that never stopped.
  func sayLastFigures() {
    guard stepsThisRun > 0, state.interval.elements > 0 else { return }
    // At an epoch's end the count of epochs is that of the next one already.
    let epoch = state.batch == 0 ? state.epoch : state.epoch + 1
    progress.say("step \(state.step)  epoch \(epoch)  \(session.describe(state.interval))")
  }

  /// Writes a record on rank 0; a full disk there ends all ranks.
  func write(_ record: MetricsRecord) throws(RunFailure) {
    try session.agreement.together {
      try metrics?.append(record)
      try tensorBoard?.append(record)
    }
  }
}
