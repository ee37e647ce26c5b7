import Cells
import KernelInterface
import Kernels
import MPI

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
  /// Threads of each rank.
  public var threads = 1
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
  public let threads: Int
  public let kernels: String
  public let secondsPerStep: Double
  public let sequencesPerSecond: Double
  /// Of one thread.
  public let gflops: Double
  /// The speed of multiply-adds on registers alone, measured just before.
  public let peakGflops: Double
  public let utilisation: Double
  public let reductionSeconds: Double
  public let parameters: Int

  private enum CodingKeys: String, CodingKey {
    case cell, hidden, batch, time, input, layers, ranks, threads, kernels, gflops, utilisation, parameters
    case secondsPerStep = "seconds_per_step"
    case sequencesPerSecond = "sequences_per_second"
    case peakGflops = "peak_gflops"
    case reductionSeconds = "reduction_seconds"
  }
}

/// Times training steps.
public enum StepBenchmark {
  public static func run(
    _ problem: StepProblem, repeats: Int, warmup: Int, on communicator: Communicator
  ) throws -> StepResult {
    let work = try StepWork(problem, on: communicator)
    let peak = KernelVariant.current.peakGFLOPS(seconds: 0.5)
    for _ in 0..<warmup { _ = try work.step() }
    let times = try (0..<repeats).map { _ in try work.step() }
    // A step ends when the slowest rank does.
    let median = try communicator.allreduce(Timing.median(times.map(\.total)), .maximum)
    let workers = communicator.size * problem.threads
    let gflops = problem.operations / Double(workers) / median * 1e-9
    return StepResult(
      cell: problem.system.name, hidden: problem.hidden, batch: problem.batch,
      time: problem.steps, input: problem.inputs, layers: problem.layers,
      ranks: communicator.size, threads: problem.threads,
      kernels: KernelVariant.current.rawValue, secondsPerStep: median,
      sequencesPerSecond: Double(problem.batch) / median, gflops: gflops, peakGflops: peak,
      utilisation: gflops / peak, reductionSeconds: Timing.median(times.map(\.reduction)),
      parameters: work.model.layout.count)
  }
}
