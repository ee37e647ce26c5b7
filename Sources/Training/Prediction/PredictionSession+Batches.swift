// SPDX-License-Identifier: Apache-2.0

import DataParallel
import Datasets
import Files
import Layers
import Liveness
import Models
import Tensors

extension PredictionSession {
  /// The approximate size of a batch's results, which are gathered together.
  private static let batchBytes = 1 << 26

  /// Predicts everything, batch by batch, in the order of the sequences. All ranks call this. The
  /// state after the last step is kept for `publishState`.
  ///
  /// - Parameter write: takes the results of a batch; called only on rank 0
  public func run(_ write: (PredictedRows) throws -> Void) throws(RunFailure) {
    Deadline.enter(.computing)
    for batch in batches() {
      let own = RowGather(communicator, plan: plan, count: batch.count)
      let results = try agreement.together {
        try Failpoint.dataRead.pass(request.file)
        return try compute(batch, rows: own.own)
      }
      var whole: [Tensor<Float>] = []
      do {
        for tensor in results.tensors { whole.append(try own.whole(tensor)) }
        if let final = results.final {
          let all = LayerState(
            try final.named.map { ($0.name, try own.whole($0.tensor)) })
          if communicator.rank == 0 { ends.append((batch.lowerBound, all)) }
        }
      } catch {
        throw RunFailure(error)
      }
      try agreement.together {
        if communicator.rank == 0 { try write(rows(whole, batch)) }
      }
    }
  }

  /// Writes the state after the last step, if it was requested. Call it when the predictions are
  /// complete, so that a command that failed can be repeated from the same state. All ranks call
  /// this.
  public func publishState() throws(RunFailure) {
    try agreement.together {
      if communicator.rank == 0 { try writeState(ends) }
    }
  }

  /// The batches, as ranges of the source's sequences. They do not depend on the number of ranks.
  private func batches() -> [Range<Int>] {
    let T = source.steps
    let perSequence =
      4
      * (fields.reduce(0) { $0 + $1.count } + T * (source.features + model.stack.outputs)) * passes
    let largest = max(1, min(batchSize, Self.batchBytes / max(perSequence, 1))) * passes
    let isStreamed = request.state != nil || request.stateTo != nil || carriesFrames
    var batches: [Range<Int>] = []
    var first = 0
    while first < source.count {
      var end = min(first + largest, source.count)
      if isStreamed {
        // The state and the count of steps are those after the last step of all rows.
        end = (first..<end).first { !isAlike($0, first) } ?? end
      }
      batches.append(first..<end)
      first = end
    }
    return batches
  }

  private func isAlike(_ a: Int, _ b: Int) -> Bool {
    source.length(of: a) == source.length(of: b) && start?.steps[a] == start?.steps[b]
  }

  /// Computes this rank's part of a batch: the read-out, other requested outputs, and the final
  /// state.
  private func compute(
    _ batch: Range<Int>, rows: Range<Int>
  ) throws -> (tensors: [Tensor<Float>], final: LayerState<Float>?) {
    source.enter(epoch: nil)
    let indices = Array(batch)[rows]
    let T = batch.lazy.map { self.source.length(of: $0) }.max() ?? 1
    let N = indices.count
    let x = Tensor<Float>(shape: [T, N, source.features])
    let times = hasTimes ? Tensor<Double>(shape: [T, N]) : nil
    if let times { try source.readTimes(indices, into: times) }
    let lengths = indices.map { source.length(of: $0) }
    let input = SequenceBatch(
      x: x, targets: try source.read(indices, into: x),
      lengths: batch.contains { source.length(of: $0) != T } ? lengths : nil, times: times,
      rowStarts: plan.rowStarts(ofRank: communicator.rank, in: batch.count))
    let state = start.map {
      $0.state.rows(batch.lowerBound + rows.lowerBound..<batch.lowerBound + rows.upperBound)
    }
    let firstStep = start?.steps[batch.lowerBound] ?? 0
    let prediction = model.predict(
      input, from: state, firstStep: firstStep, parameters, keepingHidden: request.wantsHidden,
      keepingFinal: request.stateTo != nil || carriesFrames)
    var tensors = [prediction.outputs]
    if let K = request.rollOut {
      let frames: Tensor<Float>
      if carriesFrames, let state = prediction.final {
        frames = rolledOut(input, prediction.outputs, from: state, steps: K)
      } else {
        frames = rolledOut(
          input, prediction.outputs, steps: K, lengths: batch.map { source.length(of: $0) })
      }
      // Frames also have an answer at every step.
      if isForecast { tensors.append(frames) } else { tensors[0] = frames }
    }
    if let hidden = prediction.hidden { tensors.append(hidden) }
    if request.wantsFeatures {
      tensors += model.layerOutputs(input, from: state, firstStep: firstStep, parameters)
    }
    return (tensors, request.stateTo == nil ? nil : prediction.final)
  }

  /// Combines the numbers of all fields from all ranks.
  private func rows(
    _ whole: [Tensor<Float>], _ batch: Range<Int>
  ) throws(RunFailure) -> PredictedRows {
    let sequences = batch.lowerBound / passes..<batch.upperBound / passes
    let lengths = sequences.map { length(of: $0) }
    let T = batch.lazy.map { self.source.length(of: $0) }.max() ?? 1
    let hasFrames = isForecast && request.rollOut != nil
    let everyStep =
      [answers.kind.isEveryStep]
      + whole.dropFirst().indices.map { index in !(hasFrames && index == 1) }
    let all = zip(whole.indices, everyStep).map { index, isEveryStep in
      isEveryStep ? padded(whole[index], steps: T, isAnswer: index == 0) : whole[index].array
    }
    let answered = answers.numbers(all[0], lengths: lengths, rolledOut: hasFrames ? all[1] : nil)
    try requireFinite([.floats(all[0])] + answered, sequences)
    let numbers = answered + all.dropFirst(hasFrames ? 2 : 1).map { PredictedNumbers.floats($0) }
    return PredictedRows(first: sequences.lowerBound, lengths: lengths, numbers: numbers)
  }

  /// Refuses answers that are not finite. The inputs may be far from those that were learned.
  private func requireFinite(
    _ answers: [PredictedNumbers], _ sequences: Range<Int>
  ) throws(RunFailure) {
    guard let wrong = Self.firstNotFinite(answers) else { return }
    let sequence = sequences.lowerBound + wrong.place / (wrong.count / sequences.count)
    throw RunFailure(
      .diverged,
      "\(request.file): sequence \(label(of: sequence)): the model's output is \(wrong.name);"
        + " check its inputs, which may be far from those that were learned, or name another"
        + " checkpoint than \(checkpoint.folder)")
  }

  /// The first number that is not finite, with its place and the count of numbers.
  static func firstNotFinite(
    _ answers: [PredictedNumbers]
  ) -> (name: String, place: Int, count: Int)? {
    for case .floats(let values) in answers {
      if let place = values.firstIndex(where: { !$0.isFinite }) {
        // The sign of a NaN has no meaning.
        return (values[place].isNaN ? "nan" : "\(values[place])", place, values.count)
      }
    }
    return nil
  }

  /// [rows, T, ...] as [sequences, T of the longest of all, ...].
  ///
  /// If sequences were run several times, each step is taken from the pass that hid it. Answers for
  /// neurons that no pass sees are those of the last pass, which hides nothing, as in an
  /// evaluation.
  private func padded(_ tensor: Tensor<Float>, steps T: Int, isAnswer: Bool) -> [Float] {
    let (rows, P, F, longest) = (tensor.shape[0], passes, folds, answers.steps)
    let width = tensor.shape.dropFirst(2).reduce(1, *)
    let values = tensor.array
    guard P > 1 || T < longest else { return values }
    let seen = isAnswer && P > F ? source.features : width
    var result: [Float] = []
    result.reserveCapacity(rows / P * longest * width)
    for sequence in 0..<rows / P {
      for t in 0..<T {
        let start = ((sequence * P + t % F) * T + t) * width
        result += values[start..<start + seen]
        let last = ((sequence * P + P - 1) * T + t) * width
        result += values[last + seen..<last + width]
      }
      result += repeatElement(0, count: (longest - T) * width)
    }
    return result
  }

  private func writeState(_ ends: [(row: Int, state: LayerState<Float>)]) throws {
    guard let path = request.stateTo else { return }
    let all = model.stack.startState(rows: source.count)
    for (row, state) in ends {
      for (name, tensor) in state.named {
        all[name]!.rows(row..<row + tensor.shape[0]).copy(from: tensor)
      }
    }
    let steps = (0..<source.count).map {
      (start?.steps[$0] ?? 0) + (streamedSteps ?? source.length(of: $0))
    }
    try StreamState(steps: steps, state: all).write(
      to: path, parameters: checkpoint.manifest.parametersSHA256)
  }
}
