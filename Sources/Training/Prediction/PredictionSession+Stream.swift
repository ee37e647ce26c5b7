// SPDX-License-Identifier: Apache-2.0

import Datasets
import Layers
import Models
import Tensors

/// The current step of a stream, as a sequence of one step.
final class StepSource: SequenceSource {
  var count: Int { 1 }
  var steps: Int { 1 }
  let features: Int
  let targetKind: TargetKind
  /// The numbers of the step, [C].
  var values: [Float]

  init(features: Int, kind: TargetKind) {
    (self.features, targetKind) = (features, kind)
    values = Array(repeating: 0, count: features)
  }

  func read(
    _ indices: ArraySlice<Int>, into x: Tensor<Float>
  ) throws(DatasetError) -> SequenceTargets {
    precondition(x.shape == [1, 1, features], "a buffer of \(x.shape) for a step of \(features)")
    for c in 0..<features { x[c] = values[c] }
    return .zeros(targetKind, sequences: 1, steps: 1)
  }
}

extension PredictionSession {
  /// C, the numbers of a step.
  public var features: Int { source.features }

  /// Predicts the steps of a stream one by one, each from the state after the preceding one. The
  /// answers are bit-identical to those of a prediction of all steps together. The state after the
  /// last step is kept for `publishState`.
  ///
  /// - Parameters:
  ///   - next: the numbers of the next step, [C]; nil at the end
  ///   - write: takes the answer to a step, with the number of the step as that of the sequence
  public func stream(
    _ next: () throws -> [Float]?, _ write: (PredictedRows) throws -> Void
  ) throws(RunFailure) {
    do {
      var state = start?.state
      let first = start?.steps[0] ?? 0
      var step = first
      while let values = try next() {
        input.step?.values = values
        let x = Tensor<Float>(shape: [1, 1, source.features])
        let batch = SequenceBatch(
          x: x, targets: try source.read([0], into: x),
          rowStarts: plan.rowStarts(ofRank: 0, in: 1))
        let prediction = model.predict(
          batch, from: state, firstStep: step, parameters, keepingHidden: request.wantsHidden,
          keepingFinal: true)
        try write(answer(to: step, prediction, batch, from: state))
        state = prediction.final
        step += 1
      }
      guard step > first else {
        throw DatasetError(
          request.file, "has no steps", cure: "give a line of \(source.features) numbers per step")
      }
      if let state { ends = [(0, state)] }
      streamedSteps = step - first
    } catch {
      throw RunFailure(error)
    }
  }

  private func answer(
    to step: Int, _ prediction: Prediction<Float>, _ batch: SequenceBatch<Float>,
    from state: LayerState<Float>?
  ) throws(RunFailure) -> PredictedRows {
    let outputs = prediction.outputs.array
    let answered = answers.numbers(outputs, lengths: [1])
    if let wrong = Self.firstNotFinite([.floats(outputs)] + answered) {
      throw RunFailure(
        .diverged,
        "\(request.file): step \(step): the model's output is \(wrong.name); check its inputs,"
          + " which may be far from those that were learned")
    }
    var further = prediction.hidden.map { [PredictedNumbers.floats($0.array)] } ?? []
    if request.wantsFeatures {
      further += model.layerOutputs(batch, from: state, firstStep: step, parameters).map {
        .floats($0.array)
      }
    }
    return PredictedRows(first: step, lengths: [1], numbers: answered + further)
  }
}
