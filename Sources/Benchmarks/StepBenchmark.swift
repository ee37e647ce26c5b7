import BLAS
import Cells
import DataParallel
import KernelInterface
import Kernels
import Models
import MPI
import Optimizers
import RandomNumbers
import Tensors

/// What is timed: one full training step.
public struct StepProblem: Sendable {
  public var system: RecurrentSystem
  /// H, units per layer.
  public var hidden = 128
  /// N, sequences over all ranks.
  public var batch = 128
  /// T, time steps.
  public var steps = 784
  /// C, input features.
  public var inputs = 1
  public var layers = 1
  /// V, virtual shards.
  public var shards = 8
  /// Sums by `MPI_Allreduce` in the place of the fixed tree.
  public var usesMPIReduction = false
  /// Sums on a thread beside the backward pass.
  public var overlaps = false
  public var bucketBytes = 1 << 20
  /// Classes of the read-out.
  public var classes = 10

  public init(system: RecurrentSystem) {
    self.system = system
  }

  /// 6·T·N·ΣG·H·(C + H): forward, and twice that backward, of the recurrent layers.
  public var operations: Double {
    (0..<layers).reduce(0) { sum, layer in
      let width = layer == 0 ? inputs : hidden
      return sum + 6 * Double(steps * batch) * Double(system.body.gates * hidden)
        * Double(width + hidden)
    }
  }
}

/// What was measured of a full training step.
public struct StepResult: Sendable, Codable {
  public let cell: String
  public let hidden: Int
  public let batch: Int
  public let time: Int
  public let input: Int
  public let layers: Int
  public let ranks: Int
  public let kernels: String
  public let secondsPerStep: Double
  public let sequencesPerSecond: Double
  /// Of one rank.
  public let gflops: Double
  /// The speed of multiply-adds on registers alone, measured just before.
  public let peakGflops: Double
  public let utilisation: Double
  public let reductionSeconds: Double
  public let parameters: Int

  private enum CodingKeys: String, CodingKey {
    case cell, hidden, batch, time, input, layers, ranks, kernels, gflops, utilisation, parameters
    case secondsPerStep = "seconds_per_step"
    case sequencesPerSecond = "sequences_per_second"
    case peakGflops = "peak_gflops"
    case reductionSeconds = "reduction_seconds"
  }
}

/// Times forward, backward, reduction, clipping and the optimizer on random sequences.
public enum StepBenchmark {
  public static func run(
    _ problem: StepProblem, repeats: Int, warmup: Int, on communicator: Communicator
  ) throws -> StepResult {
    OpenBLAS.setThreads(1)
    KernelVariant.flushDenormals()
    let drive = problem.system.drive(mu: 0.6, epsilon: 0.6, beta: 0.999, restart: 40)
    let model = SequenceModel<Float>(
      StackSpecification(
        drive: drive, body: problem.system.body, orthogonal: problem.system.orthogonal,
        hidden: problem.hidden, layers: problem.layers),
      inputs: problem.inputs, outputs: problem.classes, loss: .crossEntropy)
    let parameters = ParameterBuffer<Float>(model.layout)
    model.initialize(parameters, seed: 1, gateBias: 1)
    let plan = ShardPlan(shards: problem.shards, ranks: communicator.size)
    let batch = randomBatch(problem, plan: plan, rank: communicator.rank)
    let own = try communicator.duplicate()
    let reducer: any GradientReducer =
      problem.usesMPIReduction ? MPIReducer(own) : FixedOrderReducer(own, plan: plan)
    let reduction = GradientReduction(
      reducer, layout: model.layout, shards: batch.shards, bucketBytes: problem.bucketBytes,
      overlaps: problem.overlaps, onThread: { KernelVariant.flushDenormals() })
    let optimizer = Optimizer<Float>(
      RMSProp(alpha: 0.9), learningRate: 1e-3, layout: model.layout)
    let gradient = reduction.sum
    var reducing: [Double] = []
    let clock = ContinuousClock()

    let peak = KernelVariant.current.peakGFLOPS(seconds: 0.5)
    let seconds = try Timing.seconds(repeats: repeats, warmup: warmup) {
      try model.prepare(parameters, advancing: true)
      reduction.begin()
      let totals = model.accumulateGradients(batch, parameters, into: reduction.shards)
      let before = clock.now
      try reduction.finish()
      let total = Totals(values: try reducer.reduce(totals.map(\.values)))
      let took = clock.now - before
      reducing.append(took.inSeconds)
      scale(gradient, by: Float(1 / total.elements))
      try model.finishGradients(ParameterBuffer(model.layout, over: gradient))
      clipNorm(of: gradient, to: 1)
      optimizer.update(parameters, gradients: gradient)
    }
    // A step ends when the slowest rank does.
    let median = try communicator.allreduce(Timing.median(seconds), .maximum)
    let gflops = problem.operations / Double(communicator.size) / median * 1e-9
    return StepResult(
      cell: problem.system.name, hidden: problem.hidden, batch: problem.batch,
      time: problem.steps, input: problem.inputs, layers: problem.layers,
      ranks: communicator.size, kernels: KernelVariant.current.rawValue, secondsPerStep: median,
      sequencesPerSecond: Double(problem.batch) / median, gflops: gflops, peakGflops: peak,
      utilisation: gflops / peak, reductionSeconds: Timing.median(reducing.suffix(repeats)),
      parameters: model.layout.count)
  }

  private static func randomBatch(
    _ problem: StepProblem, plan: ShardPlan, rank: Int
  ) -> SequenceBatch<Float> {
    let rows = plan.rows(ofRank: rank, in: problem.batch)
    let (T, N, C) = (problem.steps, rows.count, problem.inputs)
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
      x: x, targets: .classes(classes), rowStarts: plan.rowStarts(ofRank: rank, in: problem.batch))
  }
}
