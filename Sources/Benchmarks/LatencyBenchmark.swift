// SPDX-License-Identifier: Apache-2.0

import Kernels
import Layers
import Models
import RandomNumbers
import Tensors

/// How long one answer takes: the median, the 99th percentile and the longest of many.
public struct Latency: Sendable, Codable, Equatable {
  /// In seconds; half of the answers take longer.
  public let median: Double
  /// In seconds; one answer in a hundred takes longer.
  public let percentile99: Double
  /// In seconds, of the slowest answer.
  public let longest: Double

  /// - Parameter seconds: the time of each answer; at least one
  public init(_ seconds: [Double]) {
    let sorted = seconds.sorted()
    // The nearest rank.
    func percentile(_ share: Double) -> Double {
      sorted[max(Int((share * Double(sorted.count)).rounded(.up)) - 1, 0)]
    }
    (median, percentile99, longest) = (percentile(0.5), percentile(0.99), percentile(1))
  }
}

/// The latency of a model's forward pass, one sequence at a time.
public struct LatencyResult: Sendable, Codable {
  /// The recurrent system.
  public let cell: String
  /// H, units per layer.
  public let hidden: Int
  /// The number of layers.
  public let layers: Int
  /// C, input features.
  public let input: Int
  /// T, steps of a trial.
  public let time: Int
  /// How many numbers the model has.
  public let parameters: Int
  /// The kernels that ran: "avx2".
  public let kernels: String
  /// Seconds for a whole trial that is available at once, with an answer at each of its steps.
  public let trial: Latency
  /// Seconds for one more step of a stream, from the carried state. Nil for layers without a state,
  /// which recompute the whole trial.
  public let step: Latency?
}

/// Measures how long an answer takes.
public enum LatencyBenchmark {
  /// - Parameters:
  ///   - problem: the model, with one sequence and C numbers as its answer at each step
  ///   - trials: the number of timed trials
  ///   - steps: the number of timed steps of a stream
  ///   - warmup: the number of untimed runs before either
  /// - Throws: `LAPACKError` if a parameter cannot be prepared
  public static func run(
    _ problem: StepProblem, trials: Int, steps: Int, warmup: Int
  ) throws -> LatencyResult {
    NumericEnvironment.enter()
    let run = try LatencyRun(problem)
    let trial = Timing.seconds(repeats: trials, warmup: warmup) { run.trial() }
    let step =
      run.isStream ? Timing.seconds(repeats: steps, warmup: warmup) { run.step() } : nil
    return LatencyResult(
      cell: problem.system.name, hidden: problem.hidden, layers: problem.layers,
      input: problem.inputs, time: problem.steps, parameters: run.model.layout.count,
      kernels: KernelBackend.current.name, trial: Latency(trial), step: step.map(Latency.init))
  }
}

/// A model with a trial and a stream.
final class LatencyRun {
  let model: SequenceModel<Float>
  private let parameters: ParameterBuffer<Float>
  private let workspace = Workspace<Float>()
  private let x: Tensor<Float>  // [T, 1, C]
  private let logits: Tensor<Float>  // [T, C]
  private var state: LayerState<Float>?
  /// Steps of the stream so far.
  private var time = 0

  init(_ problem: StepProblem) throws {
    model = SequenceModel<Float>(
      problem.stack, inputs: problem.features, outputs: problem.inputs, objective: PoissonCounts())
    parameters = ParameterBuffer<Float>(model.layout)
    model.initialize(parameters, seed: 1, gateBias: 1)
    try model.prepare(parameters, advancing: false)
    x = Tensor(shape: [problem.steps, 1, problem.features])
    var stream = RandomStream(seed: 1, purpose: .benchmark)
    for index in 0..<x.count { x[index] = Float(stream.uniform()) }
    logits = Tensor(shape: [problem.steps, problem.inputs])
  }

  var isStream: Bool { !model.stack.states.isEmpty }

  /// Answers at every step of the trial.
  func trial() { _ = answer(to: x, from: nil, at: 0, keeping: []) }

  /// Answers at the next step of the stream, which repeats the trial.
  func step() {
    let t = time % x.shape[0]
    if let after = answer(to: x.rows(t..<t + 1), from: state, at: time, keeping: .finalState) {
      if let state { state.copy(from: after) } else { state = after.copied() }
    }
    time += 1
  }

  /// The outputs of the last call, [steps, C].
  func answers(_ steps: Int) -> [Float] { logits.rows(0..<steps).array }

  private func answer(
    to x: Tensor<Float>, from state: LayerState<Float>?, at step: Int, keeping: LayerKeeping
  ) -> LayerState<Float>? {
    let T = x.shape[0]
    let pass = model.stack.forward(
      SequenceInput(x, firstStep: step, rowStarts: [0, 1]), from: state, parameters,
      keeping: keeping, in: workspace)
    model.readOut.forward(
      pass.output.reshaped([T, model.readOut.inputs]), parameters, into: logits.rows(0..<T))
    return pass.final
  }
}
