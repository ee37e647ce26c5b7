// SPDX-License-Identifier: Apache-2.0

import Configuration
import Layers
import Checkpoints
import Datasets
import Foundation
import KernelInterface
import Kernels
import Models
import RandomNumbers
import Reports
import Tensors

/// How fast the loss gradient vanishes through time (Nguyen et al., NeurIPS 2020).
///
/// A layer's state is s_t = (h_t, c_t, v_t, q_t); each system has some of these members. L_n is the
/// loss of sequence n read out of h_T, even if the task has a loss at every step:
///
///     dL_n/ds_T = (∂L_n/∂h_T, 0, 0, 0),   dL_n/ds_t = (∂s_{t+1}/∂s_t)ᵀ dL_n/ds_{t+1}
///
/// dL_n/dh_t is the hidden member of dL_n/ds_t: the *total* derivative with respect to the h_t
/// that step t+1 takes, along every path through later h, c, v and q, with the rest of s_t held
/// fixed: the direct effect of c_t is not included. For stacked layers it is that of the top layer.
///
/// Everything is computed in Double with the scalar reference, which resolves gradients down to
/// 1e-308.
public struct GradientProbe {
  /// The mean of L_n over the batch.
  public let meanLoss: Double
  /// dL_n/dh_t for t = 1 ... T, [T, N, H].
  public let hiddenGradients: Tensor<Double>

  /// Runs a batch forward and then, time step by time step, backward.
  ///
  /// - Precondition: the model is prepared for `parameters`
  public init(
    _ model: SequenceModel<Double>, _ parameters: ParameterBuffer<Double>,
    batch: SequenceBatch<Double>
  ) {
    let (T, N) = (batch.x.shape[0], batch.x.shape[1])
    let workspace = Workspace<Double>()
    var input = SequenceInput(batch.x, times: batch.elapsed)
    for layer in model.stack.levels.dropLast() {
      input.values =
        layer.forward(input, from: nil, parameters, keeping: [], in: workspace).output
    }
    let layer = model.stack.levels[model.stack.levels.count - 1]
    // From s_t to s_{t+1}. Weights get no shards.
    func piece(_ t: Int, from state: LayerState<Double>, _ keeping: LayerKeeping)
      -> any LayerPass<Double>
    {
      let step = SequenceInput(
        input.values.rows(t..<t + 1), times: input.times?.rows(t..<t + 1), firstStep: t,
        rowStarts: [0])
      return layer.forward(step, from: state, parameters, keeping: keeping, in: workspace)
    }

    var states = [layer.startState(rows: N)]  // s_0 ... s_T
    for t in 0..<T { states.append(piece(t, from: states[t], .finalState).final!) }

    var above = layer.startState(rows: N)  // dL/ds_{t+1}
    let (loss, last) = Self.loss(model, parameters, batch, last: states[T][0])
    meanLoss = loss
    above[0].copy(from: last)
    hiddenGradients = Tensor(shape: [T, N, layer.outputs])
    hiddenGradients.row(T - 1).copy(from: last)
    // Each step is recomputed: keeping all activations would take too much memory.
    let noGradients = ShardedBuffer<Double>(model.layout, shards: 0)
    for t in (1..<max(T, 1)).reversed() {
      let below = layer.startState(rows: N)
      _ = piece(t, from: states[t], .activations).backward(
        OutputGradient(final: above), into: noGradients, wantsInput: false, initial: below)
      hiddenGradients.row(t - 1).copy(from: below[0])
      above = below
    }
  }

  /// The mean loss, and dL_n/dh_T [N, H] from the read-out.
  private static func loss(
    _ model: SequenceModel<Double>, _ parameters: ParameterBuffer<Double>,
    _ batch: SequenceBatch<Double>, last h: Tensor<Double>
  ) -> (mean: Double, gradient: Tensor<Double>) {
    let y = Tensor<Double>(shape: [h.shape[0], model.readOut.outputs])
    let dy = Tensor<Double>(shape: y.shape)
    model.readOut.forward(h, parameters, into: y)
    let (T, N) = (batch.x.shape[0], batch.x.shape[1])
    let totals = model.objective.totals(
      of: y, batch.targets.steps(T - 1..<T, of: N), gradient: dy)
    let dh = Tensor<Double>(shape: h.shape)
    model.readOut.backward(dy, x: h, into: ParameterBuffer(model.layout), dx: dh)
    return (totals.loss / Double(N), dh)
  }

  /// (1/N) Σ_n ‖dL_n/dh_t‖ for t = 1 ... T.
  public var norms: [Double] {
    (0..<hiddenGradients.shape[0]).map { t in
      let rows = hiddenGradients.row(t)
      return (0..<rows.shape[0]).reduce(0) { $0 + Self.norm(rows.row($1).array) }
        / Double(rows.shape[0])
    }
  }

  /// The Euclidean norm, also of elements whose squares overflow or underflow a Double.
  private static func norm(_ values: [Double]) -> Double {
    let sum = values.reduce(0) { $0 + $1.magnitude }
    guard sum > 0, sum.isFinite else { return sum }
    return sum * values.reduce(0) { $0 + ($1 / sum) * ($1 / sum) }.squareRoot()
  }
}

/// What is probed: a model at initialisation or from a checkpoint, and the source of its inputs.
public struct ProbeSubject {
  /// The name of the curve.
  public let label: String
  /// The resolved configuration of the model.
  public var configuration: TrainingConfiguration
  private let checkpoint: CheckpointReader?
  private let usesDataset: Bool

  /// - Parameters:
  ///   - label: the name of its curve
  ///   - configuration: the configuration of the model
  ///   - checkpoint: the source of the parameters, made with `configuration`; nil is initialisation
  ///   - usesDataset: whether to use the configuration's own data, if they can be read
  public init(
    _ label: String, _ configuration: TrainingConfiguration, checkpoint: CheckpointReader? = nil,
    usesDataset: Bool = true
  ) {
    self.label = label
    self.configuration = configuration
    self.checkpoint = checkpoint
    self.usesDataset = usesDataset
  }

  /// Probes it on `batch` sequences; random ones have `steps` steps of `features` numbers.
  public func curve(steps: Int, features: Int, batch: Int) throws -> ProbeCurve {
    let settings = configuration.model
    guard let task = configuration.dataset.task.make(configuration) as? any SequenceTask else {
      throw RunFailure(
        .configuration,
        "\(label): dataset.task is \(configuration.dataset.task.rawValue), whose loss is not that"
          + " of a sequence; probe a task of whole sequences")
    }
    func shape(_ name: String) -> [Int]? {
      checkpoint?.manifest.tensors.first { $0.path == "parameters/\(name)" }?.shape
    }
    var source: any SequenceSource = RandomSequences(
      count: batch, steps: steps, features: shape("rnn.weight_ih_l0")?.last ?? features,
      classes: shape("readout.weight")?.first ?? 10, seed: configuration.seed)
    var objective: any Objective = CrossEntropy()
    var data = "random"
    guard !settings.bidirectional else {
      throw RunFailure(
        .configuration,
        "\(label): model.bidirectional is true, and with two directions there is no single path back"
          + " through time; probe with model.bidirectional=false")
    }
    guard !settings.system.isEncoder else {
      throw RunFailure(
        .configuration,
        "\(label): model.cell is \(settings.system.name), an encoder without a recurrent state;"
          + " probe a recurrent cell")
    }
    if usesDataset {
      do {
        source = try task.source(.train)
        try task.requireComparable(source.targetKind, configuration.dataset)
        objective = task.objective
        data = configuration.dataset.task.rawValue
      } catch let error as DatasetError {
        data = "random, as \(error.path) cannot be read"
      }
    }
    let model = SequenceModel<Double>(
      try configuration.stack(on: source.map), inputs: source.features,
      outputs: source.targetKind.outputs, objective: objective)
    let constants = settings.system.constants(settings.constants)
    let parameters = ParameterBuffer<Double>(model.layout)
    model.initialize(parameters, seed: configuration.seed, gateBias: settings.gateBias)
    try restore(parameters, model.buffers)
    let cure = "probe an earlier checkpoint, or other constants of the cell"
    do { try model.prepare(parameters, advancing: false) } catch {
      throw RunFailure(.diverged, "\(label): no recurrent matrix: \(error); \(cure)")
    }
    let hasTimes = model.readsTimes && source.hasTimes
    if hasTimes { try source.openTimes() }
    let probe = GradientProbe(
      model, parameters,
      batch: try read(min(batch, source.count), from: source, withTimes: hasTimes))
    let norms = probe.norms
    guard norms.allSatisfy(\.isFinite) else {
      throw RunFailure(.diverged, "\(label): the gradient is not a number; \(cure)")
    }
    return ProbeCurve(
      label: label, cell: settings.cell.system.name, mu: constants.mu, epsilon: constants.epsilon,
      beta: constants.beta, restart: constants.restart, hiddenSize: settings.hiddenSize,
      layers: settings.layers, inputs: source.features, steps: norms.count,
      batch: min(batch, source.count), seed: configuration.seed, data: data,
      parameters: checkpoint?.folder ?? "initialisation", loss: probe.meanLoss, norms: norms)
  }

  /// Loads the parameters of the checkpoint, if there is one.
  private func restore(
    _ parameters: ParameterBuffer<Double>, _ buffers: [(name: String, tensor: Tensor<Double>)]
  ) throws {
    guard let checkpoint else { return }
    let wanted =
      parameters.layout.entries.map { ("parameters/\($0.name)", parameters[$0]) }
      + buffers.map { ("buffers/\($0.name)", $0.tensor) }
    for (path, tensor) in wanted {
      let stored = try checkpoint.tensors(under: path).first { $0.path == path }
      guard let stored, stored.shape == tensor.shape else {
        throw CheckpointError(
          checkpoint.folder, "has no tensor \(path) of shape \(tensor.shape)",
          cure: "it belongs to another model, or dataset.file holds data of another kind")
      }
      tensor.copy(from: stored.values.map { Double($0) })
    }
  }

  /// `count` sequences of the configuration's seed, all cut to the length of the shortest.
  private func read(
    _ count: Int, from source: any SequenceSource, withTimes: Bool
  ) throws -> SequenceBatch<Double> {
    let order = EpochOrder(
      count: source.count, batchSize: count, seed: configuration.seed, epoch: 0
    ).batch(0)
    let lengths = order.map { source.length(of: $0) }
    let x = Tensor<Float>(shape: [lengths.max() ?? 0, count, source.features])
    func cut(_ tensor: Tensor<Float>) -> Tensor<Double> {
      Tensor(tensor.array.map { Double($0) }, shape: tensor.shape).rows(0..<(lengths.min() ?? 0))
    }
    let targets = try source.read(order, into: x)
    let times = withTimes ? Tensor<Double>(shape: [lengths.max() ?? 0, count]) : nil
    if let times { try source.readTimes(order, into: times) }
    return SequenceBatch(
      x: cut(x), targets: targets.steps(0..<(lengths.min() ?? 0), of: count),
      times: times?.rows(0..<(lengths.min() ?? 0)), rowStarts: [0, count])
  }
}

/// Sequences of numbers uniform in [0, 1) with classes at random, keyed by seed and index.
private struct RandomSequences: SequenceSource {
  let count: Int
  let steps: Int
  let features: Int
  let classes: Int
  let seed: UInt64

  var targetKind: TargetKind { .classes(classes) }

  func read(_ indices: ArraySlice<Int>, into x: Tensor<Float>) -> SequenceTargets {
    let N = indices.count
    return SequenceTargets(
      targetKind,
      whole: indices.enumerated().map { n, index in
        var stream = RandomStream(seed: seed, purpose: .benchmark, index: index)
        for t in 0..<steps {
          for c in 0..<features { x[(t * N + n) * features + c] = Float(stream.uniform()) }
        }
        return Int32(stream.below(classes))
      })
  }
}
