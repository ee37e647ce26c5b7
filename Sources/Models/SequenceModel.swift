// SPDX-License-Identifier: Apache-2.0

import BLAS
import Layers
import KernelInterface
import Kernels
import RandomNumbers
import Tensors
import Threads

/// The states that the answer about a whole sequence is read from.
public enum Pooling: String, Sendable, CaseIterable {
  /// The state after the last valid step.
  case last
  /// The mean of the states of all valid steps.
  case mean
}

/// The starting values of a read-out: weights uniform in ± a bound.
public struct ReadOutStart: Sendable {
  /// The weights start uniform in ± this bound.
  public let weightBound: Double
  /// [K]; empty means zeros.
  public let bias: [Double]

  public init(weightBound: Double, bias: [Double] = []) {
    self.weightBound = weightBound
    self.bias = bias
  }
}

/// A stack of recurrent layers with a linear read-out of the last state or of every state.
///
///     y = W h^L_T + b                                   from the last valid step
///     y = W [forward^L_T, reverse^L_1] + b              the same, in both directions
///     y = W (1/T) Σ_t h^L_t + b                         from all valid steps, pooled
///     y_t = W h^L_t + b                                 at every valid step
public final class SequenceModel<Scalar: KernelScalar> {
  /// The affine map W, b.
  public let readOut: Linear<Scalar>
  /// The loss and the scores of the answers.
  public let objective: any Objective
  /// Which steps the read-out sees.
  public let pooling: Pooling
  public let layout: ParameterLayout

  /// The threads that share the shards of a batch.
  public var team = ThreadTeam.alone

  /// Called in training with the states that the read-out sees; for tests, which damage them as a
  /// faulty processor would.
  public var disturbance: ((Tensor<Scalar>) -> Void)?

  /// The recurrent layers.
  public let stack: LayerStack<Scalar>
  /// D, the number of directions, with H columns each.
  let directions: Int
  /// One for each thread that has been used.
  var workspaces: [Workspace<Scalar>] = []
  private let readOutStart: ReadOutStart?

  /// - Parameters:
  ///   - specification: the layers
  ///   - inputs: C
  ///   - outputs: K, the width of the read-out
  ///   - objective: the loss and the metrics
  ///   - pooling: the states that the read-out sees
  ///   - readOutStart: nil is PyTorch's default
  public init(
    _ specification: StackSpecification, inputs: Int, outputs: Int, objective: any Objective,
    pooling: Pooling = .last, readOutStart: ReadOutStart? = nil
  ) {
    self.readOutStart = readOutStart
    stack = specification.stack(inputs: inputs, as: Scalar.self)
    directions = specification.directions
    readOut = Linear(inputs: stack.outputs, outputs: outputs, prefix: "readout.")
    self.objective = objective
    self.pooling = pooling
    var layout = ParameterLayout()
    stack.declare(in: &layout)
    readOut.declare(in: &layout)
    self.layout = layout
  }

  /// Sets the starting values, which depend only on the seed.
  public func initialize(_ parameters: ParameterBuffer<Scalar>, seed: UInt64, gateBias: Double) {
    var streams = InitializationStreams(seed: seed)
    stack.initialize(parameters, gateBias: gateBias, streams: &streams)
    var stream = streams.next()
    if let readOutStart {
      readOut.initialize(parameters, weightBound: readOutStart.weightBound, stream: &stream)
      readOut.setBias(readOutStart.bias, parameters)
    } else {
      readOut.initialize(parameters, stream: &stream)
    }
  }

  /// How many numbers are trained; for an orthogonal layer's skew matrix, only those above the
  /// diagonal.
  public var trainedCount: Int { layout.count - stack.untrainedCount }

  /// Whether any layer reads the times of the steps.
  public var readsTimes: Bool { stack.readsTimes }

  /// What a checkpoint must hold besides parameters, by name.
  public var buffers: [(name: String, tensor: Tensor<Scalar>)] { stack.buffers }

  /// Computes what follows from the parameters, such as orthogonal matrices. Call it before the
  /// first pass after a change of parameters.
  ///
  /// - Parameters:
  ///   - parameters: the parameters
  ///   - advancing: true once per optimizer step, before its forward pass; false for other uses,
  ///     which must not move the base of an orthogonal matrix
  /// - Throws: `LAPACKError` if a parameter is not a number
  public func prepare(
    _ parameters: ParameterBuffer<Scalar>, advancing: Bool
  ) throws(LAPACKError) {
    readOut.prepare(parameters)
    try stack.prepare(parameters, advancing: advancing)
  }

  /// Undoes the last advancing `prepare`, for a step that does not count.
  public func revert(_ parameters: ParameterBuffer<Scalar>) {
    stack.revert(parameters)
  }

  /// Turns summed gradients of what `prepare` computed into gradients of the parameters.
  public func finishGradients(_ gradients: ParameterBuffer<Scalar>) throws(LAPACKError) {
    try stack.finishGradients(gradients)
  }

  /// The cost of the orthogonal matrices of all layers since the model was made; nil if there are
  /// none.
  public var orthogonalWork: OrthogonalWork? { stack.orthogonalWork }

  /// Runs a batch forward.
  ///
  /// - Parameters:
  ///   - batch: the sequences of this rank
  ///   - parameters: the parameters
  ///   - confusion: counts the answers of sequences that have one class each
  /// - Returns: the totals of each shard
  public func evaluate(
    _ batch: SequenceBatch<Scalar>, _ parameters: ParameterBuffer<Scalar>,
    counting confusion: ConfusionCounts? = nil
  ) -> [Totals] {
    run(batch, parameters, gradients: nil, counting: confusion)
  }

  /// Runs a batch forward and backward, adding the gradient of each shard's *summed* loss to
  /// `gradients`.
  ///
  /// - Returns: the totals of each shard
  public func accumulateGradients(
    _ batch: SequenceBatch<Scalar>, _ parameters: ParameterBuffer<Scalar>,
    into gradients: ShardedBuffer<Scalar>
  ) -> [Totals] {
    precondition(
      gradients.shards == batch.shards, "\(gradients.shards) buffers for \(batch.shards) shards")
    return run(batch, parameters, gradients: gradients, counting: nil)
  }

  /// The totals of the shards of a batch without a row.
  func noTotals(_ batch: SequenceBatch<Scalar>) -> [Totals] {
    Array(repeating: objective.noTotals, count: batch.shards)
  }

  /// Runs `body` for each thread's run of shards.
  private func run(
    _ batch: SequenceBatch<Scalar>, _ parameters: ParameterBuffer<Scalar>,
    gradients: ShardedBuffer<Scalar>?, counting confusion: ConfusionCounts?
  ) -> [Totals] {
    // A batch too short for every shard leaves some ranks without a row.
    if batch.x.shape[1] == 0 { return noTotals(batch) }
    while workspaces.count < team.count { workspaces.append(Workspace()) }
    func pass(_ index: Int, counting confusion: ConfusionCounts?) -> SequencePass<Scalar> {
      SequencePass(
        model: self, workspace: workspaces[index], confusion: confusion)
    }
    let runs = ShardRuns.cut(batch.shards, threads: team.count)
    if runs.count == 1 {
      return pass(0, counting: confusion).run(batch, parameters, gradients: gradients)
    }
    let parts = gradients?.split(runs)
    let counts = runs.map { _ in confusion?.empty() }
    let totals = team.map(runs.count) { index in
      let pass = pass(index, counting: counts[index])
      return pass.run(
        batch.part(shards: runs[index], in: pass.workspace), parameters,
        gradients: parts?[index])
    }
    for case let part? in counts { confusion?.add(part) }
    return totals.flatMap { $0 }
  }
}
