// SPDX-License-Identifier: Apache-2.0

import KernelInterface
import Kernels
import Layers
import RandomNumbers
import Tensors
import Testing
import Threads

@testable import Models

/// The predictions of a model, at once or step by step, alone or among others.
@Suite struct PredictionTests {
  static let cells = ["lstm", "gru_unrolled", "momentum_lstm", "nag_gru", "lmu", "atn_lstm"]

  private func model(
    _ cell: String, layers: Int = 2, kind: TargetKind = .frames(3), pooling: Pooling = .last
  ) throws -> (SequenceModel<Float>, ParameterBuffer<Float>) {
    let system = try #require(RecurrentSystem(named: cell))
    let factory = system.layers(system.constants(CellConstants()), orthogonal: nil)
    let model = SequenceModel<Float>(
      StackSpecification(LayerSpecification(factory, hidden: 5), layers: layers), inputs: 2,
      outputs: kind.outputs, objective: kind.answer == .numbers ? SquaredError() : CrossEntropy(),
      pooling: pooling)
    let parameters = ParameterBuffer<Float>(model.layout)
    model.initialize(parameters, seed: 5, gateBias: 1)
    try model.prepare(parameters, advancing: false)
    return (model, parameters)
  }

  private func batch(
    rows: Range<Int>, steps: Range<Int>, kind: TargetKind = .frames(3), shards: Int = 1
  ) -> SequenceBatch<Float> {
    let (T, N) = (steps.count, rows.count)
    let x = Tensor<Float>(shape: [T, N, 2])
    for (n, row) in rows.enumerated() {
      for (t, step) in steps.enumerated() {
        var stream = RandomStream(seed: 2, purpose: .testing, step: step, index: row)
        for c in 0..<2 { x[(t * N + n) * 2 + c] = Float(stream.normal()) }
      }
    }
    return SequenceBatch(
      x: x, targets: .zeros(kind, sequences: N, steps: T),
      rowStarts: (0...shards).map { N * $0 / shards })
  }

  @Test(arguments: cells) func stepByStepIsTheWhole(cell: String) throws {
    let (model, parameters) = try model(cell)
    let whole = model.predict(
      batch(rows: 0..<3, steps: 0..<9), from: nil, firstStep: 0, parameters, keepingHidden: true)
    var state: LayerState<Float>?
    var first = 0
    for steps in [0..<1, 1..<2, 2..<6, 6..<9] {
      let part = model.predict(
        batch(rows: 0..<3, steps: steps), from: state, firstStep: first, parameters,
        keepingHidden: true, keepingFinal: true)
      for n in 0..<3 {
        #expect(part.outputs.row(n).array == whole.outputs.row(n).rows(steps).array)
        #expect(part.hidden!.row(n).array == whole.hidden!.row(n).rows(steps).array)
      }
      (state, first) = (part.final, steps.upperBound)
    }
    let last = try #require(state)
    #expect(last.named.contains { $0.tensor.array.contains { $0 != 0 } })
  }

  @Test(arguments: cells) func aRowHasTheSameBitsInAnyCompany(cell: String) throws {
    let (model, parameters) = try model(cell)
    let all = model.predict(
      batch(rows: 0..<7, steps: 0..<5), from: nil, firstStep: 0, parameters, keepingHidden: true,
      keepingFinal: true)
    let one = model.predict(
      batch(rows: 4..<5, steps: 0..<5), from: nil, firstStep: 0, parameters, keepingHidden: true)
    #expect(one.outputs.array == all.outputs.row(4).array)
    #expect(one.hidden!.array == all.hidden!.row(4).array)
    model.team = try ThreadTeam(3) {}
    let threaded = model.predict(
      batch(rows: 0..<7, steps: 0..<5, shards: 4), from: nil, firstStep: 0, parameters,
      keepingHidden: true, keepingFinal: true)
    #expect(threaded.outputs.array == all.outputs.array)
    #expect(threaded.hidden!.array == all.hidden!.array)
    for (a, b) in zip(threaded.final!.named, all.final!.named) {
      #expect(a.tensor.array == b.tensor.array, "\(a.name)")
    }
  }

  /// The read-out is that of an evaluation, up to rounding.
  @Test(arguments: [Pooling.last, .mean]) func answersAreThoseOfAnEvaluation(
    pooling: Pooling
  ) throws {
    let kind = TargetKind.classes(4)
    let (model, parameters) = try model("lstm", kind: kind, pooling: pooling)
    var batch = batch(rows: 0..<6, steps: 0..<8, kind: kind)
    batch.lengths = [8, 3, 1, 8, 5, 2]
    let y = model.predict(batch, from: nil, firstStep: 0, parameters).outputs
    #expect(y.shape == [6, 4])
    let own = CrossEntropy().totals(of: y, batch.targets, gradient: nil)
    let known = model.evaluate(batch, parameters)[0]
    #expect(abs(own.loss - known.loss) < 1e-5 * abs(known.loss))
  }

  /// The outputs of layers are those that the layers above see.
  @Test func outputsOfLayers() throws {
    let (model, parameters) = try model("momentum_lstm")
    var batch = batch(rows: 0..<3, steps: 0..<6)
    batch.lengths = [6, 2, 4]
    #expect(model.layerOutputs.map(\.name) == ["layer0", "layer1"])
    let outputs = model.layerOutputs(batch, from: nil, firstStep: 0, parameters)
    let hidden = model.predict(
      batch, from: nil, firstStep: 0, parameters, keepingHidden: true
    ).hidden!
    #expect(outputs[1].array == hidden.array)
    #expect(outputs[0].shape == [3, 6, 5] && outputs[0].array != hidden.array)
    #expect(outputs[0].row(1).rows(2..<6).array.allSatisfy { $0 == 0 })
  }

  @Test func outputsOfTheNodesOfAGraph() throws {
    let system = try #require(RecurrentSystem(named: "graph"))
    var constants = CellConstants()
    (constants.map.height, constants.map.width) = (4, 4)
    constants.graph = try LayerGraph(
      "low: input + top, channels 2, pool max 2; top: low, channels 3, cell rgc")
    let factory = system.layers(constants, orthogonal: nil)
    let model = SequenceModel<Float>(
      StackSpecification(LayerSpecification(factory, hidden: 3)), inputs: 16, outputs: 2,
      objective: CrossEntropy())
    let parameters = ParameterBuffer<Float>(model.layout)
    model.initialize(parameters, seed: 5, gateBias: 1)
    try model.prepare(parameters, advancing: false)
    #expect(model.layerOutputs.map(\.name) == ["low", "top"])
    #expect(model.layerOutputs.map(\.shape) == [[2, 2, 2], [2, 2, 3]])
    let x = Tensor<Float>(
      (0..<3 * 2 * 16).map { Float($0 * 7919 % 13) / 6 - 1 }, shape: [3, 2, 16])
    let batch = SequenceBatch(
      x: x, targets: .zeros(.classes(2), sequences: 2, steps: 3), rowStarts: [0, 2])
    let outputs = model.layerOutputs(batch, from: nil, firstStep: 0, parameters)
    let hidden = model.predict(
      batch, from: nil, firstStep: 0, parameters, keepingHidden: true
    ).hidden!
    #expect(outputs[1].array == hidden.array)
    // Every edge takes a step: the top has seen nothing at the first.
    #expect(outputs[0].row(0).row(0).array.contains { $0 != 0 })
    #expect(outputs[1].row(0).row(1).array != outputs[1].row(0).row(2).array)
  }
}
