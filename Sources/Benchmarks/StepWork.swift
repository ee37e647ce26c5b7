// SPDX-License-Identifier: Apache-2.0

import BLAS
import Layers
import DataParallel
import Kernels
import Models
import MPI
import Optimizers
import RandomNumbers
import Tensors
import Threads
import TrainingSteps

/// The parts of the time of one training step on one rank.
public struct StepTimes: Sendable {
  /// The whole step.
  public var total = 0.0
  /// Forward and backward, including the clearing of the gradients before.
  public var compute = 0.0
  /// From the end of the backward pass until the sum over all ranks is complete: the sum itself,
  /// and the wait for slower ranks.
  public var reduction = 0.0
  /// Scaling, clipping and the optimizer.
  public var optimizer = 0.0
  /// The orthogonal matrices; part of the whole.
  public var orthogonal: OrthogonalWork?
}

/// Training steps on random sequences: forward, backward, reduction, clipping and the optimizer.
final class StepWork {
  let model: SequenceModel<Float>
  private let batch: SequenceBatch<Float>
  private let work: TrainingStep
  private let optimizer: Optimizer<Float>
  private let clock = ContinuousClock()

  init(_ problem: StepProblem, on communicator: Communicator) throws {
    NumericEnvironment.enter()
    model = Self.model(problem)
    model.team = try ThreadTeam(problem.threads) { NumericEnvironment.enter() }
    let parameters = ParameterBuffer<Float>(model.layout)
    model.initialize(parameters, seed: 1, gateBias: 1)
    let plan = ShardPlan(shards: problem.shards, ranks: communicator.size)
    batch = Self.randomBatch(problem, plan: plan, rank: communicator.rank)
    let own = try communicator.duplicate()
    let reducer: any GradientReducer =
      problem.usesMPIReduction ? MPIReducer(own) : FixedOrderReducer(own, plan: plan)
    let reduction = GradientReduction(
      reducer, layout: model.layout, shards: batch.shards, bucketBytes: problem.bucketBytes,
      worker: problem.overlaps
        ? try BackgroundWorker("reduction") { NumericEnvironment.enter() } : nil)
    work = TrainingStep(parameters, reduction, reducer)
    optimizer = Optimizer<Float>(RMSProp(alpha: 0.9), learningRate: 1e-3, layout: model.layout)
  }

  static func model(_ problem: StepProblem) -> SequenceModel<Float> {
    SequenceModel<Float>(
      problem.stack, inputs: problem.features, outputs: problem.classes,
      objective: CrossEntropy())
  }

  /// Takes a step. Every rank calls this.
  func step() throws -> StepTimes {
    var times = StepTimes()
    let orthogonal = model.orthogonalWork
    let start = clock.now
    try model.prepare(work.parameters, advancing: true)
    let totals = work.accumulate { parameters, shards in
      model.accumulateGradients(batch, parameters, into: shards)
    }
    let computed = clock.now
    let total = try work.reduce(totals)
    let reduced = clock.now
    _ = try work.finishGradients(total, clippingTo: 1, model.finishGradients)
    work.update(optimizer)
    let end = clock.now
    times.compute = (computed - start).inSeconds
    times.reduction = (reduced - computed).inSeconds
    times.optimizer = (end - reduced).inSeconds
    times.total = (end - start).inSeconds
    if let orthogonal { times.orthogonal = model.orthogonalWork.map { $0 - orthogonal } }
    return times
  }

  private static func randomBatch(
    _ problem: StepProblem, plan: ShardPlan, rank: Int
  ) -> SequenceBatch<Float> {
    let rows = plan.rows(ofRank: rank, in: problem.batch)
    let (T, N, C) = (problem.steps, rows.count, problem.features)
    let x = Tensor<Float>(shape: [T, N, C])
    var classes: [Int32] = []
    for (n, row) in rows.enumerated() {
      var stream = RandomStream(seed: 1, purpose: .benchmark, index: row)
      x.withMutableSpan { x in
        for t in 0..<T {
          for c in 0..<C { x[(t * N + n) * C + c] = Float(stream.uniform()) }
        }
      }
      classes.append(Int32(stream.below(problem.classes)))
    }
    return SequenceBatch(
      x: x, targets: .classes(classes, of: problem.classes),
      rowStarts: plan.rowStarts(ofRank: rank, in: problem.batch))
  }
}
