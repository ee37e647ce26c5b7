// SPDX-License-Identifier: Apache-2.0

import KernelInterface
import Kernels
import Layers
import Models
import Tensors
import Testing
import Threads

/// The times of steps on their way to the layers of a model.
@Suite struct TimesModelTests {
  /// y_t = (x_t's first number) + (the time of step t).
  private struct Clock<Scalar: KernelScalar>: SequenceLayer {
    let inputFeatures: [Int]
    var readsTimes: Bool { true }
    var features: [Int] { [1] }
    var states: [NamedShape] { [] }
    var parameters: [NamedShape] { [] }

    func initialize(
      _ parameters: ParameterBuffer<Scalar>, gateBias: Double, streams: inout InitializationStreams
    ) {}

    func forward(
      _ input: SequenceInput<Scalar>, from state: LayerState<Scalar>?,
      _ parameters: ParameterBuffer<Scalar>, keeping: LayerKeeping, in workspace: Workspace<Scalar>
    ) -> any LayerPass<Scalar> {
      let y = Tensor<Scalar>(shape: [input.steps, input.rows, 1])
      for row in 0..<y.count {
        y[row] = input.values[row * inputs] + Scalar(input.times?[row] ?? 1000)
      }
      return Pass(output: y, inputs: inputs)
    }

    func workingNumbers(steps: Int, rows: Int, threads: Int, isTraining: Bool) -> Double { 0 }

    struct Pass: LayerPass {
      let output: Tensor<Scalar>
      let inputs: Int
      var final: LayerState<Scalar>? { nil }

      func backward(
        _ gradient: OutputGradient<Scalar>, into gradients: ShardedBuffer<Scalar>,
        wantsInput: Bool, initial: LayerState<Scalar>?
      ) -> Tensor<Scalar>? {
        wantsInput
          ? Tensor(shape: [output.shape[0], output.shape[1], inputs]) : nil
      }
    }
  }

  private struct ClockFactory: LayerFactory {
    func layer<Scalar: KernelScalar>(
      inputs: Int, hidden: Int, recomputeEvery: Int, named: LayerName, as: Scalar.Type
    ) -> any SequenceLayer<Scalar> {
      Clock<Scalar>(inputFeatures: [inputs])
    }
  }

  /// Sequences of zeros of lengths 4, 2 and 3; beyond their ends times fall.
  private let batch = SequenceBatch<Double>(
    x: Tensor(shape: [4, 3, 2]), targets: .values([0, 0, 0], of: 1), lengths: [4, 2, 3],
    times: Tensor([1, 5, 0, 2, 8, 0, 4, 0, 7, 8, 0, 0], shape: [4, 3]), rowStarts: [0, 1, 3])

  /// The square root of each shard's loss, the read-out being Σ_d weights[d] h_d.
  private func answers(
    layers: Int = 1, bidirectional: Bool = false, weights: [Double], pooling: Pooling = .last,
    threads: Int = 1, training: Bool
  ) throws -> [Double] {
    let model = SequenceModel<Double>(
      StackSpecification(
        LayerSpecification(ClockFactory(), hidden: 1), layers: layers,
        bidirectional: bidirectional),
      inputs: 2, outputs: 1, objective: SquaredError(), pooling: pooling)
    #expect(model.readsTimes)
    model.team = try ThreadTeam(threads)
    let parameters = ParameterBuffer<Double>(model.layout)
    parameters["readout.weight"].copy(from: weights)
    let totals =
      training
      ? model.prepared(parameters).accumulateGradients(
        batch, parameters, into: ShardedBuffer(model.layout, shards: 2))
      : model.prepared(parameters).evaluate(batch, parameters)
    return totals.map(\.loss)
  }

  /// From the first to the last valid step of each row 7, 3 and 7 pass.
  @Test(arguments: [1, 2], [false, true])
  func reachEachLayer(threads: Int, training: Bool) throws {
    #expect(
      try answers(weights: [1], threads: threads, training: training) == [49, 9 + 49])
    #expect(
      try answers(layers: 2, weights: [1], threads: threads, training: training)
        == [4 * 49, 4 * (9 + 49)])
  }

  /// In the other direction time runs from the last valid step: at its end 7, 3 and 7 have passed.
  @Test func runFromTheEndInTheOtherDirection() throws {
    #expect(
      try answers(bidirectional: true, weights: [0, 1], training: false) == [49, 9 + 49])
    #expect(
      try answers(bidirectional: true, weights: [1, 0], training: false) == [49, 9 + 49])
    // The mean over the valid steps: (0 + 4 + 6 + 7) / 4, (0 + 3) / 2, (0 + 7 + 7) / 3.
    let means = [17.0 / 4, 1.5, 14.0 / 3]
    let found = try answers(
      bidirectional: true, weights: [0, 1], pooling: .mean, training: false)
    #expect(abs(found[0] - means[0] * means[0]) < 1e-12)
    #expect(abs(found[1] - means[1] * means[1] - means[2] * means[2]) < 1e-12)
  }

  /// Layers that do not read times do not hide those that do.
  @Test func aStackReadsTimesIfAnyOfItsLayersDoes() {
    let plain = LayerSpecification(drive: DriveParameters(.plain), body: .lstm, hidden: 1)
    let name = LayerName(prefix: "", suffix: "")
    let lstm: any SequenceLayer<Double> = plain.layer(inputs: 2, named: name)
    let clock = Clock<Double>(inputFeatures: [1])
    #expect(!lstm.readsTimes && !LayerStack([lstm]).readsTimes)
    #expect(LayerStack([lstm, clock]).readsTimes)
    let mask = DropoutLayer<Double>(nil, features: [2], named: name)
    #expect(!mask.readsTimes)
  }
}
