// SPDX-License-Identifier: Apache-2.0

import Configuration
import DataParallel
import Datasets
import Foundation
import HDF5
import Kernels
import Models
import RandomNumbers
import Tensors
import TestSupport
import Testing

@testable import Checkpoints
@testable import Layers
@testable import Training

/// The times of steps from a file to the batches of a model, and the notes on them.
@Suite struct TimesTests {
  /// A cell that would read times: h_t = W x_t.
  private struct Clock: CellFamily {
    var summary: String { "clock" }
    var body: String { "none" }

    func cell<Scalar: KernelScalar>(
      inputs: Int, hidden: Int, constants: CellConstants, named name: LayerName, as: Scalar.Type
    ) -> any RecurrentCell<Scalar> {
      Cell<Scalar>(hidden: hidden, weight: name.of("weight_ih"))
    }
  }

  private struct Cell<Scalar: KernelScalar>: RecurrentCell {
    let hidden: Int
    let weight: String
    var readsTimes: Bool { true }
    var products: [CellProduct] {
      [CellProduct(weight, bias: nil, of: .input, width: hidden)]
    }
    var vectors: [NamedShape] { [] }
    var states: [NamedShape] { [NamedShape("h", [hidden])] }
    var tape: [NamedShape] { [] }

    func initialize(
      _ parameters: ParameterBuffer<Scalar>, gateBias: Double, stream: inout RandomStream
    ) {}
    func step(_ step: CellStep<Scalar>) { step.after[0].copy(from: step.products[0]) }
    func adjoint(_ step: CellAdjoint<Scalar>) {
      step.dProducts[0].copy(from: step.dAfter[0])
      step.dBefore[0].fill(0)
    }
  }

  /// Six sequences of a training part and two of a test part, of T=3 steps: step t of sequence n is
  /// at 10 n + t².
  private func write(
    _ path: String, times: [String] = ["train/times", "test/times"], prefix: String = ""
  ) throws {
    let file = try HDF5.File.create(path)
    if prefix.isEmpty {
      try file.setAttribute("format_version", 1)
      try file.setAttribute("task", "classification")
      try file.setAttribute("classes", 2)
    }
    for (part, count) in [("train", 6), ("test", 2)] {
      let values = (0..<count * 3).map { Float($0) }
      try file.write(values, to: "\(part)/\(prefix)inputs", shape: [count, 3, 1])
      try file.write((0..<count).map { Int32($0 % 2) }, to: "\(part)/\(prefix)targets")
      for name in times where name.hasPrefix(part) {
        let all = (0..<count * 3).map { (place: Int) -> Double in
          let (n, t) = (place / 3, place % 3)
          return Double(10 * n + t * t)
        }
        try file.write(all, to: name, shape: [count, 3])
      }
    }
    try file.close()
  }

  private func configuration(
    _ path: String, reading: Bool = true, _ more: [String] = []
  ) throws -> TrainingConfiguration {
    var configuration = try TrainingConfiguration(
      yaml: """
        dataset: {task: classification, file: \(path), validation_count: 2}
        model: {cell: lstm, hidden_size: 2}
        batch_size: 4
        shards: 2
        """, path: "run.yaml", assignments: more)
    if reading {
      configuration.model.cell = CellName(RecurrentSystem("clock", Clock(), from: "a test"))
    }
    return configuration
  }

  private func stream(
    _ configuration: TrainingConfiguration, ranks: Int = 1, rank: Int = 0
  ) throws -> SequenceStream {
    let workload = try configuration.dataset.task.make(configuration).workload(
      configuration, plan: ShardPlan(shards: 2, ranks: ranks), rank: rank)
    return try #require(workload.stream as? SequenceStream)
  }

  private func problem(_ body: () throws -> Void) -> String {
    do {
      try body()
      return "none"
    } catch {
      return "\(error)"
    }
  }

  /// Each rank gets the times of its own rows, in training, validation and the test.
  @Test(arguments: [1, 2]) func comeWithEachBatch(ranks: Int) throws {
    try Places.withTemporaryFolder { folder in
      try write("\(folder)/a.h5")
      for rank in 0..<ranks {
        let train = try stream(
          configuration("\(folder)/a.h5"), ranks: ranks, rank: rank)
        #expect(train.timesNote == nil && train.notes.isEmpty)
        #expect(train.summary.contains("T=3 C=1, 4 sequences with times"))
        for part in [train, try train.part(.validation), try train.part(.test)] {
          let batch = try part.load(StepPosition(step: 0, epoch: 0, index: 0))
          let times = try #require(batch.times)
          let N = batch.x.shape[1]
          #expect(times.shape == [3, N] && N > 0)
          for n in 0..<N {
            // The first number of sequence k is 3 k.
            let k = Double(batch.x[n]) / 3
            #expect((0..<3).map { times[$0 * N + n] } == [10 * k, 10 * k + 1, 10 * k + 4])
          }
        }
        let identity = try train.identity(validating: true)
        #expect(identity.parts["train"]?.times?.shape == [6, 3])
        #expect(identity.summary.hasPrefix("train 6 sequences T=3 C=1 classes 2 with times"))
      }
    }
  }

  /// If times are not read, or switched off, the data are unchanged. Times that are not read are
  /// reported.
  @Test func whereTheyAreNotReadThatIsSaid() throws {
    try Places.withTemporaryFolder { folder in
      let path = "\(folder)/a.h5"
      try write(path)
      let unread = try stream(configuration(path, reading: false))
      let note =
        "\(path): has times of its steps, which the cell lstm does not read: only their order counts"
      #expect(unread.notes == [note] && !unread.summary.contains("times"))
      #expect(try unread.load(StepPosition(step: 0, epoch: 0, index: 0)).times == nil)
      #expect(try unread.identity(validating: true).parts["train"]?.times == nil)
      for reading in [false, true] {
        let off = try stream(
          configuration(path, reading: reading, ["dataset.read_times=off"]))
        #expect(off.notes.isEmpty)
        #expect(try off.load(StepPosition(step: 0, epoch: 0, index: 0)).times == nil)
      }
      try write("\(folder)/none.h5", times: [])
      for reading in [false, true] {
        #expect(try stream(configuration("\(folder)/none.h5", reading: reading)).notes.isEmpty)
      }
    }
  }

  @Test func inAFileOfTheUsersOwn() throws {
    try Places.withTemporaryFolder { folder in
      let path = "\(folder)/own.h5"
      try write(path, times: ["train/when", "test/when"], prefix: "my_")
      let names = ["dataset.inputs={part}/my_inputs", "dataset.targets={part}/my_targets"]
      let unnamed = try stream(configuration(path, names))
      #expect(try unnamed.load(StepPosition(step: 0, epoch: 0, index: 0)).times == nil)
      let named = try stream(configuration(path, names + ["dataset.times={part}/when"]))
      let batch = try named.load(StepPosition(step: 0, epoch: 0, index: 0))
      #expect(batch.times?.shape == [3, 4])
      let wrong = problem {
        _ = try stream(configuration(path, reading: false, names + ["dataset.times={part}/t"]))
      }
      #expect(wrong.contains("own.h5: has no train/t; name the times with dataset.times"))
    }
  }

  /// A part without times cannot be measured by a model that reads those of the training part.
  @Test func allPartsMustHaveThem() throws {
    try Places.withTemporaryFolder { folder in
      let path = "\(folder)/a.h5"
      try write(path, times: ["train/times"])
      let train = try stream(configuration(path))
      #expect(
        problem { _ = try train.part(.test) }.contains(
          "the test part has no times of its steps, but the training part has; make all parts alike"
        ))
      _ = try stream(configuration(path, reading: false)).part(.test)
    }
  }

  /// The identity of a run's data in a checkpoint: data with or without times.
  private func learned(_ path: String, in folder: String) throws -> LearnedData {
    var data = DataIdentity()
    data.parts["train"] = try stream(configuration(path)).partIdentity()
    let step = "\(folder)/run-\(data.parts["train"]?.times == nil)/checkpoints/step"
    let writer = CheckpointWriter(folder: step, shards: 1)
    try writer.begin()
    let snapshot = CheckpointSnapshot(shard: 0, of: 1)
    snapshot.copy([])
    var manifest = CheckpointManifest(
      step: 1, epoch: 1, batch: 1, parameterCount: 0, parametersSHA256: "x",
      optimizer: .init(name: "adam", stepCount: 1), progress: [:], tensors: [],
      files: [try writer.write(snapshot)], configuration: "seed: 1\n",
      machine: .init(
        precision: "float32", kernels: "reference", blasCore: "none", virtualShards: 2, ranks: 1,
        program: "test"))
    manifest.data = data
    try writer.commit(manifest)
    return LearnedData(of: try CheckpointReader(step), .measuring)
  }

  /// A run that learned with times is not measured without them. The opposite is reported.
  @Test func aRunIsMeasuredOnDataAsItLearned() throws {
    try Places.withTemporaryFolder { folder in
      let (timed, none) = ("\(folder)/timed.h5", "\(folder)/none.h5")
      try write(timed)
      try write(none, times: [])
      func note(_ own: String, learned: String) throws -> String? {
        var configuration = try configuration(own)
        configuration.dataset.learned = try self.learned(learned, in: folder)
        return try stream(configuration).timesNote
      }
      #expect(try note(timed, learned: timed) == nil)
      #expect(try note(none, learned: none) == nil)
      let late = try note(timed, learned: none)
      #expect(late == "has times of its steps; the run learned without, from steps at 0, 1, 2 ...")
      let missing = problem { _ = try note(none, learned: timed) }
      #expect(
        missing == "\(none): has no times of its steps, but the run learned from times; prepare it"
          + " with --times, or name them with dataset.times")
    }
  }

  /// A layer that is run step by step, as the probe does, knows when the step before happened.
  @Test func aProbeSeesTheTimesOfItsSteps() throws {
    let model = SequenceModel<Double>(
      StackSpecification(LayerSpecification(Elapsed(), hidden: 1)), inputs: 1, outputs: 1,
      objective: SquaredError())
    let parameters = ParameterBuffer<Double>(model.layout)
    parameters["readout.weight"].copy(from: [1])
    let batch = SequenceBatch<Double>(
      x: Tensor([1, 1, 1, 1, 1, 1], shape: [3, 2, 1]), targets: .values([0, 0], of: 1),
      times: Tensor([2, 0, 3, 5, 7, 6], shape: [3, 2]), rowStarts: [0, 2])
    try model.prepare(parameters, advancing: false)
    let probe = GradientProbe(model, parameters, batch: batch)
    let whole = model.evaluate(batch, parameters).reduce(0) { $0 + $1.loss }
    #expect(whole == 25 + 36 && probe.meanLoss == whole / 2)
  }

  /// `inspect` names them, with their range.
  @Test func areInspected() throws {
    try Places.withTemporaryFolder { folder in
      try write("\(folder)/a.h5")
      let report = try Inspection.report(of: "\(folder)/a.h5", verifying: true)
      #expect(report.text.contains("\ntimes: train 0.0 to 54.0, test 0.0 to 14.0\n"))
      #expect(report.text.contains("  train/times [6, 3]\n"))
      let object = try JSONSerialization.jsonObject(with: Data(report.json().utf8))
      let times = (object as? [String: Any])?["times"] as? [String: [Double]]
      #expect(times == ["train": [0, 54], "test": [0, 14]])
      try write("\(folder)/none.h5", times: [])
      let none = try Inspection.report(of: "\(folder)/none.h5", verifying: true).text
      #expect(!none.contains("times"))
    }
  }
}

/// h_t = h_{t-1} + (τ_t - τ_{t-1}) x_t, with τ_0 = τ_1.
private struct Elapsed: LayerFactory {
  func layer<Scalar: KernelScalar>(
    inputs: Int, hidden: Int, recomputeEvery: Int, named: LayerName, as: Scalar.Type
  ) -> any SequenceLayer<Scalar> { Layer<Scalar>() }

  struct Layer<Scalar: KernelScalar>: SequenceLayer {
    var inputFeatures: [Int] { [1] }
    var features: [Int] { [1] }
    var states: [NamedShape] { [NamedShape("h", [1]), NamedShape("last", [1], isCounter: true)] }
    var parameters: [NamedShape] { [] }
    var readsTimes: Bool { true }

    func initialize(
      _ parameters: ParameterBuffer<Scalar>, gateBias: Double, streams: inout InitializationStreams
    ) {}

    func forward(
      _ input: SequenceInput<Scalar>, from state: LayerState<Scalar>?,
      _ parameters: ParameterBuffer<Scalar>, keeping: LayerKeeping, in workspace: Workspace<Scalar>
    ) -> any LayerPass<Scalar> {
      let (T, N) = (input.steps, input.rows)
      let y = Tensor<Scalar>(shape: [T, N, 1])
      let h = startState(rows: N)
      if let state { h.copy(from: state) }
      for t in 0..<T {
        for n in 0..<N {
          let now = Scalar(input.times?[t * N + n] ?? .nan)
          h[0][n] += (now - h[1][n]) * input.values[t * N + n]
          h[1][n] = now
          y[t * N + n] = h[0][n]
        }
      }
      return Pass(output: y, final: h)
    }

    func workingNumbers(steps: Int, rows: Int, threads: Int, isTraining: Bool) -> Double { 0 }
  }

  struct Pass<Scalar: KernelScalar>: LayerPass {
    let output: Tensor<Scalar>
    let final: LayerState<Scalar>?

    func backward(
      _ gradient: OutputGradient<Scalar>, into gradients: ShardedBuffer<Scalar>, wantsInput: Bool,
      initial: LayerState<Scalar>?
    ) -> Tensor<Scalar>? {
      if let initial, let above = gradient.final { initial[0].copy(from: above[0]) }
      return nil
    }
  }
}
