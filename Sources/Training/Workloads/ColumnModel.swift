// SPDX-License-Identifier: Apache-2.0

import BLAS
import Models
import Tensors
import Threads

/// A language model with the state that each column carries from chunk to chunk.
///
/// States start from zero in every epoch and evaluation. Masks follow from seed, step and global
/// column or word.
final class ColumnModel: TrainableModel {
  private let model: LanguageModel<Float>
  private let seed: UInt64
  private let state: LanguageModel<Float>.State
  private let maskMemory = Workspace<Float>()
  /// The state of the columns after the current step.
  private var final: LanguageModel<Float>.State?

  /// - Parameters:
  ///   - columns: the number of columns that this rank owns
  ///   - seed: the seed of the masks
  init(_ model: LanguageModel<Float>, columns: Int, seed: UInt64) {
    self.model = model
    self.seed = seed
    state = model.startState(columns: columns)
  }

  var team: ThreadTeam {
    get { model.team }
    set { model.team = newValue }
  }
  var disturbance: ((Tensor<Float>) -> Void)? {
    get { model.disturbance }
    set { model.disturbance = newValue }
  }
  var layout: ParameterLayout { model.layout }
  var trainedCount: Int { model.trainedCount }
  var buffers: [(name: String, tensor: Tensor<Float>)] { model.buffers }

  var carried: [(name: String, rows: Tensor<Float>)] {
    state.enumerated().flatMap { level, state in
      state.named.map { ("\($0.name)_l\(level)", $0.tensor) }
    }
  }

  func workingBytes(_ extent: StreamExtent, threads: Int, isTraining: Bool) -> Double {
    model.workingBytes(
      steps: extent.steps, rows: extent.ownRows, shards: extent.ownShards, isTraining: isTraining)
  }

  func initialize(_ parameters: ParameterBuffer<Float>, seed: UInt64, gateBias: Double) {
    model.initialize(parameters, seed: seed, gateBias: gateBias)
  }

  func startEpoch() {
    for layer in state { layer.clear() }
  }

  func prepare(
    _ parameters: ParameterBuffer<Float>, for batch: ColumnStep?, advancing: Bool
  ) throws(LAPACKError) {
    model.dropMasks()
    let masks = batch.map { batch in
      LanguageModelMasks(
        model, seed: seed, step: batch.step, columns: batch.columns, workspace: maskMemory)
    }
    try model.prepare(parameters, masks: masks, advancing: advancing)
  }

  func revert(_ parameters: ParameterBuffer<Float>) { model.revert(parameters) }

  /// The words of the chunk. If the decoder shares their weight, its gradient touches all rows.
  func touchedRows(by batch: ColumnStep) -> TouchedRows? {
    model.sparseEntry.map { TouchedRows($0, rows: batch.chunk.tokens.lazy.map { Int($0) }) }
  }

  func accumulateGradients(
    _ batch: ColumnStep, _ parameters: ParameterBuffer<Float>,
    into gradients: ShardedBuffer<Float>
  ) -> [Totals] {
    let outcome = model.accumulateGradients(batch.chunk, from: state, parameters, into: gradients)
    final = outcome.final
    return outcome.totals
  }

  func recompute(
    _ batch: ColumnStep, from carried: [Tensor<Float>], _ parameters: ParameterBuffer<Float>,
    into gradients: ShardedBuffer<Float>
  ) -> [Totals] {
    final = nil  // of a pass before, whose memory is used now
    let start = model.startState(columns: batch.columns.count)
    for (own, rows) in zip(start.flatMap(\.named), carried) { own.tensor.copy(from: rows) }
    let masks = LanguageModelMasks(
      model, seed: seed, step: batch.step, columns: batch.columns, workspace: Workspace<Float>())
    return model.accumulateGradients(
      batch.chunk, from: start, masks: masks, parameters, into: gradients)
  }

  func finishGradients(_ gradients: ParameterBuffer<Float>) throws(LAPACKError) {
    try model.finishGradients(gradients)
  }

  func advance() {
    if let final { model.advance(state, to: final) }
    final = nil
  }

  func measuring(rows: Int) -> ColumnModel { ColumnModel(model, columns: rows, seed: seed) }

  func evaluate(
    _ batch: ColumnStep, _ parameters: ParameterBuffer<Float>, counting confusion: ConfusionCounts?
  ) -> [Totals] {
    model.evaluate(batch.chunk, from: state, parameters)
  }
}
