import DataParallel
import Datasets
import Files
import Layers
import Liveness
import Models
import Tensors

extension PredictionSession {
  /// About the bytes of a batch's results that are gathered at once.
  private static let batchBytes = 1 << 26

  /// Predicts everything, batch by batch, in the order of the sequences. All ranks call this.
  ///
  /// - Parameter write: takes the results of a batch; called on rank 0 alone
  public func run(_ write: (PredictedRows) throws -> Void) throws(RunFailure) {
    Deadline.enter(.computing)
    var ends: [(row: Int, state: LayerState<Float>)] = []
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
    try agreement.together {
      if communicator.rank == 0 { try writeState(ends) }
    }
  }

  /// The runs of sequences, by their place among those of the source, that make a batch. They do not
  /// depend on the rank count.
  private func batches() -> [Range<Int>] {
    let T = source.steps
    let perSequence =
      4
      * (fields.reduce(0) { $0 + $1.count } + T * (source.features + model.stack.outputs)) * folds
    let largest = max(1, min(batchSize, Self.batchBytes / max(perSequence, 1))) * folds
    let isStreamed = request.state != nil || request.stateTo != nil
    var batches: [Range<Int>] = []
    var first = 0
    while first < source.count {
      var end = min(first + largest, source.count)
      if isStreamed {
        // A state is that after the last step of all rows, and steps are counted for all at once.
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

  /// What this rank computes of a batch: the read-out, what else is needed, and the final state.
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
      keepingFinal: request.stateTo != nil)
    var tensors = [prediction.outputs]
    if let hidden = prediction.hidden { tensors.append(hidden) }
    if request.wantsFeatures {
      tensors += model.layerOutputs(input, from: state, firstStep: firstStep, parameters)
    }
    return (tensors, prediction.final)
  }

  /// The numbers of all fields, from those of all ranks.
  private func rows(_ whole: [Tensor<Float>], _ batch: Range<Int>) -> PredictedRows {
    let sequences = batch.lowerBound / folds..<batch.upperBound / folds
    let lengths = sequences.map { length(of: $0) }
    let T = batch.lazy.map { self.source.length(of: $0) }.max() ?? 1
    let everyStep = [answers.kind.isEveryStep] + whole.dropFirst().map { _ in true }
    let all = zip(whole, everyStep).map { tensor, isEveryStep in
      isEveryStep ? padded(tensor, steps: T) : tensor.array
    }
    let numbers =
      answers.numbers(all[0], lengths: lengths)
      + all.dropFirst().map { PredictedNumbers.floats($0) }
    return PredictedRows(first: sequences.lowerBound, lengths: lengths, numbers: numbers)
  }

  /// [rows, T, ...] as [sequences, T of the longest of all, ...]. Of sequences that were run several
  /// times each step is that of the run that hid it.
  private func padded(_ tensor: Tensor<Float>, steps T: Int) -> [Float] {
    let (rows, F, longest) = (tensor.shape[0], folds, answers.steps)
    let width = tensor.shape.dropFirst(2).reduce(1, *)
    let values = tensor.array
    guard F > 1 || T < longest else { return values }
    var result: [Float] = []
    result.reserveCapacity(rows / F * longest * width)
    for sequence in 0..<rows / F {
      for t in 0..<T {
        let start = ((sequence * F + t % F) * T + t) * width
        result += values[start..<start + width]
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
    let steps = (0..<source.count).map { (start?.steps[$0] ?? 0) + source.length(of: $0) }
    try StreamState(steps: steps, state: all).write(
      to: path, parameters: checkpoint.manifest.parametersSHA256)
  }
}
