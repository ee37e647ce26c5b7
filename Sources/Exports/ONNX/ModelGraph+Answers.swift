// SPDX-License-Identifier: Apache-2.0

import Configuration
import Datasets

/// The answers under the names, and in the units, of `momentum-dist predict`.
extension ModelGraph {
  private var task: TaskName { configuration.dataset.task }
  private var isEveryStep: Bool {
    switch task {
    case .copying, .denoise, .languageModel, .nextFrame, .maskedSpikes, .tagging: true
    case .adding, .classification, .multilabel, .regression, .forecast: false
    }
  }

  /// Adds the read-out of the states h [T, N, H] and the answers that follow from it.
  mutating func addAnswers(_ h: GraphValue, _ run: LayerRun) throws(ExportError) {
    let (y, K) = try readOut(isEveryStep ? h.transposed([1, 0, 2]) : lastOrMean(h, run))
    let places = isEveryStep ? ["N", "T"] : ["N"]
    let answer = Answer(
      y: y, outputs: K, places: places, isValid: isEveryStep ? validSteps(run) : nil)
    addOutput("outputs", .float, places + ["\(K)"], y, "The read-out itself.")
    switch task {
    case .copying, .denoise, .languageModel, .tagging, .classification: addClasses(answer)
    case .multilabel: addLabels(answer)
    case .maskedSpikes:
      let rates = GraphValue.apply("Exp", [y])
      addOutput(
        "rates", .float, places + ["\(K)"], answer.masked(rates),
        "Counts per step, from one pass without hidden steps.")
    case .adding, .regression:
      addOutput(
        "values", .float, places + ["\(K)"], scaled(y, meaning.targets, K),
        "In the unit of the targets.")
    case .forecast:
      let horizon = configuration.dataset.forecast.horizon
      let values = scaled(y, meaning.statistics, K).reshaped([-1, horizon, K / horizon])
      addOutput(
        "forecast", .float, ["N", "\(horizon)", "\(K / horizon)"], values,
        "The next steps, in the unit of the inputs.")
    case .nextFrame:
      let values = scaled(y, meaning.statistics, K)
      addOutput(
        "forecast", .float, ["N", "\(K)"], last(values.transposed([1, 0, 2]), run),
        "The step after the end.")
      addOutput(
        "predictions", .float, places + ["\(K)"], answer.masked(values), "The step after each one.")
    }
  }

  /// The output of the read-out, and the steps at which it counts.
  private struct Answer {
    let y: GraphValue
    let outputs: Int
    let places: [String]
    /// [N, T]; nil if every number counts.
    let isValid: GraphValue?

    /// Zeros where a value does not count.
    func masked(_ value: GraphValue) -> GraphValue {
      isValid.map { value * $0.cast(to: .float).expandingAxes([2]) } ?? value
    }
  }

  private mutating func addClasses(_ answer: Answer) {
    var chosen = GraphValue.apply(
      "ArgMax", [answer.y], [.int("axis", -1), .int("keepdims", 0)])
    if let isValid = answer.isValid {
      chosen = chosen.kept(where: isValid, otherwise: builder.whole(-1))
    }
    addOutput("class", .int64, answer.places, chosen, "The class; -1 beyond the end.")
    let probabilities = GraphValue.apply("Softmax", [answer.y], [.int("axis", -1)])
    addOutput(
      "probabilities", .float, answer.places + ["\(answer.outputs)"],
      answer.masked(probabilities), "Of the classes.")
  }

  private mutating func addLabels(_ answer: Answer) {
    addOutput(
      "probabilities", .float, answer.places + ["\(answer.outputs)"], answer.y.sigmoid,
      "Of each label.")
  }

  /// In the unit of the data.
  private func scaled(
    _ y: GraphValue, _ statistics: DataMeaning.Statistics?, _ K: Int
  ) -> GraphValue {
    guard let mean = statistics?.mean, let deviation = statistics?.deviation else { return y }
    func constant(_ values: [Double]) -> GraphValue {
      builder.doubles((0..<K).map { values[$0 % values.count] }, shape: [K])
    }
    return (y.cast(to: .double) * constant(deviation) + constant(mean)).cast(to: .float)
  }

  // MARK: Steps

  /// Which steps count, [N, T]; nil if all do.
  private func validSteps(_ run: LayerRun) -> GraphValue? {
    run.lengths.map {
      .apply("Less", [run.places.expandingAxes([0]), $0.expandingAxes([1])])
    }
  }

  /// The state that is read, [N, H]: the last of each direction, or the mean.
  private func lastOrMean(_ h: GraphValue, _ run: LayerRun) -> GraphValue {
    guard configuration.model.pooling != .mean else {
      guard let lengths = run.lengths, let isValid = validSteps(run) else {
        return h.mean(axes: [0]).droppingAxes([0])
      }
      let inside = isValid.transposed([1, 0]).cast(to: .float).expandingAxes([2])
      return (h * inside).sum(axes: [0], keepingAxes: false)
        / lengths.cast(to: .float).expandingAxes([1])
    }
    guard configuration.model.bidirectional else { return last(h, run) }
    // The second direction has read a sequence when it is at the first step.
    let H = configuration.model.hiddenSize
    return .apply(
      "Concat",
      [
        last(h, run).slice(0, H, axis: 1), h.element(0, axis: 0).slice(H, 2 * H, axis: 1),
      ], [.int("axis", 1)])
  }

  /// The last valid step of [T, N, ...], as [N, ...].
  private func last(_ h: GraphValue, _ run: LayerRun) -> GraphValue {
    guard let lengths = run.lengths else { return h.element(-1, axis: 0) }
    let places = lengths - builder.whole(1)
    return .apply(
      "GatherND", [h.transposed([1, 0, 2]), places.expandingAxes([1])], [.int("batch_dims", 1)])
  }
}
