// SPDX-License-Identifier: Apache-2.0

import Configuration
import Datasets
import Models

/// The predictions that a model cannot make.
struct PredictionLimits {
  let request: PredictionRequest
  let configuration: TrainingConfiguration
  let model: SequenceModel<Float>
  let source: any SequenceSource
  let hasTimes: Bool

  private var cell: String { "model.cell is \(configuration.model.cell.configurationText)" }
  private var carriesState: Bool { request.state != nil || request.stateTo != nil }
  /// The option of the command line that needs a state at every step.
  private var streaming: String {
    request.isStream ? "--stream" : "--state and --state-to"
  }

  /// Refuses a request that the model cannot fulfil.
  func check() throws(RunFailure) {
    let isStateless = model.stack.levels.contains { $0.states.isEmpty }
    for (option, isWanted) in [
      (streaming, carriesState || request.isStream), ("--features", request.wantsFeatures),
    ] where isWanted && isStateless {
      throw RunFailure(
        .configuration,
        configuration.model.bidirectional
          ? "model.bidirectional is true, so the model reads each sequence from its end too; leave"
            + " out \(option)"
          : "\(cell), which has no state at a step; leave out \(option)")
    }
    try checkRollOut()
    if carriesState || request.isStream { try checkStream() }
  }

  private func checkRollOut() throws(RunFailure) {
    guard request.rollOut != nil else { return }
    let (task, C) = (configuration.dataset.task, source.features)
    guard task == .forecast || task == .nextFrame else {
      throw RunFailure(
        .configuration,
        "dataset.task is \(task.rawValue); --roll-out is for forecast and next_frame, whose answers"
          + " are the next inputs")
    }
    let H = task == .forecast ? configuration.dataset.forecast.horizon : 1
    guard source.targetKind.outputs == H * C else {
      throw RunFailure(
        .configuration,
        "the model forecasts \(source.targetKind.outputs / max(H, 1)) of \(C) columns; --roll-out"
          + " needs a forecast of every column that is an input")
    }
    guard !carriesState else {
      throw RunFailure(
        .usage,
        "--roll-out starts from the sequences of the file; leave out --state and --state-to")
    }
    guard !hasTimes else {
      throw RunFailure(
        .configuration,
        "\(cell), which reads times, and those of the coming steps are unknown; leave out"
          + " --roll-out")
    }
  }

  private func checkStream() throws(RunFailure) {
    if hasTimes {
      throw RunFailure(
        .configuration,
        "\(cell), which reads times from the start of a sequence; \(streaming)"
          + " \(request.isStream ? "is" : "are") for models that do not read times")
    }
    if source is FoldedSpikes {
      throw RunFailure(
        .configuration,
        "masking.evaluation_folds hides steps in several passes, which is not for streams; add"
          + " --set masking.evaluation_folds=0")
    }
    if configuration.model.pooling == .mean, !source.targetKind.isEveryStep {
      throw RunFailure(
        .configuration,
        "model.pooling is mean, which needs all steps of a sequence at once; leave out"
          + " \(streaming)")
    }
    let view = configuration.dataset.view
    if request.isStream, configuration.dataset.task == .classification,
      view == .image || view == .permuted
    {
      throw RunFailure(
        .configuration,
        "dataset.view is \(view.rawValue), which needs a whole image at once; leave out --stream")
    }
  }
}
