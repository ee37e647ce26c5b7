// SPDX-License-Identifier: Apache-2.0

import Layers
import Models
import Files
import KernelInterface
import Kernels
import MPI

/// The training step that is timed.
public struct StepProblem: Sendable {
  /// The recurrent system.
  public var system: RecurrentSystem
  /// k of an assorted-time norm.
  public var window = 20
  /// N, coefficients of a memory; 0 uses one per unit.
  public var memoryOrder = 0
  /// Y of the maps of a cell on maps.
  public var mapHeight = 1
  /// X of the maps.
  public var mapWidth = 1
  /// K of the windows of such a cell.
  public var kernel = 3
  /// The graph of a graph of layers; nil means a single convolution.
  public var graph: LayerGraph?
  /// H, units per layer.
  public var hidden = 128
  /// N, sequences over all ranks.
  public var batch = 128
  /// T, time steps.
  public var steps = 784
  /// C, input features.
  public var inputs = 1
  /// The number of layers.
  public var layers = 1
  /// Keep only the state of every k-th time step; 0 keeps all.
  public var recomputeEvery = 0
  /// V, virtual shards.
  public var shards = 8
  /// Threads of each rank.
  public var threads = 1
  /// Sums by `MPI_Allreduce` instead of the fixed tree.
  public var usesMPIReduction = false
  /// Sums on a separate thread during the backward pass.
  public var overlaps = false
  /// The bytes of a bucket of gradients.
  public var bucketBytes = 1 << 20
  /// Classes of the read-out.
  public var classes = 10

  public init(system: RecurrentSystem) {
    self.system = system
  }

  /// Operations of only the recurrent layers: 6·T·N·G·H·(C + H) per layer for a drive and a body.
  public var operations: Double {
    Double(steps * batch) * stack.stack(inputs: features, as: Float.self).trainingOperations
  }

  /// The numbers of an input step: C, or Y X C for maps.
  var features: Int { system.readsMaps ? mapHeight * mapWidth * inputs : inputs }

  /// The recurrent layers, with constants with which no cell diverges.
  var stack: StackSpecification {
    var constants = CellConstants(mu: 0.6, epsilon: 0.6, beta: 0.999, restart: 40, window: window)
    constants.memory.order = memoryOrder
    constants.map.height = mapHeight
    constants.map.width = mapWidth
    constants.map.kernel = kernel
    constants.graph = graph
    var stack = StackSpecification(
      LayerSpecification(system.layers(constants), hidden: hidden), layers: layers)
    stack.recomputeEvery = recomputeEvery
    return stack
  }
}

/// The measurements of a full training step.
public struct StepResult: Sendable, Codable {
  /// The recurrent system: "momentum_lstm".
  public let cell: String
  /// The cell with its norms: "momentum_lstm, assorted_time(20)".
  public let title: String
  /// "none", or the norms that were added to the cell.
  public let normalization: String
  /// k, if a norm has a window.
  public let window: Int?
  /// H, units per layer.
  public let hidden: Int
  /// N, sequences over all ranks.
  public let batch: Int
  /// T, time steps.
  public let time: Int
  /// C, input features.
  public let input: Int
  /// The number of layers.
  public let layers: Int
  /// The number of ranks.
  public let ranks: Int
  /// The threads of a rank.
  public let threads: Int
  /// The kernels that ran: "avx2".
  public let kernels: String
  /// The median step, of the slowest rank.
  public let secondsPerStep: Double
  /// N divided by the median step.
  public let sequencesPerSecond: Double
  /// The speed of one thread.
  public let gflops: Double
  /// The speed of multiply-adds on registers, measured just before.
  public let peakGflops: Double
  /// The speed as a share of the peak.
  public let utilisation: Double
  /// The median wait for the sum of the gradients, on this rank.
  public let reductionSeconds: Double
  /// How many numbers are trained.
  public let parameters: Int
  /// k, if only the state of every k-th time step is kept; 0 keeps all.
  public let recomputeEvery: Int
  /// The peak memory of a rank since the program began.
  public let peakMemoryBytes: Int
  /// Nil if no layer is orthogonal.
  public let orthogonal: OrthogonalShare?
}

/// Times training steps.
public enum StepBenchmark {
  /// Times `repeats` steps after `warmup` others. Every rank calls this with the same arguments.
  public static func run(
    _ problem: StepProblem, repeats: Int, warmup: Int, on communicator: Communicator
  ) throws -> StepResult {
    let work = try StepWork(problem, on: communicator)
    let peak = KernelBackend.current.peakGFLOPS(seconds: 0.5)
    for _ in 0..<warmup { _ = try work.step() }
    let times = try (0..<repeats).map { _ in try work.step() }
    // A step ends when the slowest rank does.
    let median = try communicator.allreduce(Timing.median(times.map(\.total)), .maximum)
    let workers = communicator.size * problem.threads
    let gflops = problem.operations / Double(workers) / median * 1e-9
    return StepResult(
      cell: problem.system.name, title: problem.system.title(window: problem.window),
      normalization: problem.system.normalization.rawValue,
      window: problem.system.hyperparameters.contains(.window) ? problem.window : nil,
      hidden: problem.hidden, batch: problem.batch,
      time: problem.steps, input: problem.inputs, layers: problem.layers,
      ranks: communicator.size, threads: problem.threads,
      kernels: KernelBackend.current.name, secondsPerStep: median,
      sequencesPerSecond: Double(problem.batch) / median, gflops: gflops, peakGflops: peak,
      utilisation: gflops / peak, reductionSeconds: Timing.median(times.map(\.reduction)),
      parameters: work.model.layout.count, recomputeEvery: problem.recomputeEvery,
      peakMemoryBytes: Int(
        try communicator.allreduce(Double(ProcessMemory.peakBytes), .maximum)),
      orthogonal: OrthogonalShare(times))
  }

  /// Alternates, step by step, between the sum in fixed order and that by `MPI_Allreduce`: machines
  /// drift, so two separate runs would show the drift more than the sums.
  public static func compareReductions(
    _ problem: StepProblem, repeats: Int, warmup: Int, on communicator: Communicator
  ) throws -> ReductionComparison {
    let works = try [false, true].map { usesMPI in
      var problem = problem
      problem.usesMPIReduction = usesMPI
      return try StepWork(problem, on: communicator)
    }
    var seconds: [[Double]] = [[], []]
    var reductions: [[Double]] = [[], []]
    for turn in 0..<warmup + repeats {
      // The order of each pair alternates.
      for way in turn % 2 == 0 ? [0, 1] : [1, 0] {
        let times = try works[way].step()
        // A step ends when the slowest rank does; the sum ends when the last rank arrives.
        let slowest = try communicator.allreduce(times.total, .maximum)
        let shortest = try communicator.allreduce(times.reduction, .minimum)
        guard turn >= warmup else { continue }
        seconds[way].append(slowest)
        reductions[way].append(shortest)
      }
    }
    return ReductionComparison(
      ranks: communicator.size, parameters: works[0].model.layout.count, repeats: repeats,
      fixedSecondsPerStep: Timing.median(seconds[0]),
      mpiSecondsPerStep: Timing.median(seconds[1]),
      fixedReductionSeconds: Timing.median(reductions[0]),
      mpiReductionSeconds: Timing.median(reductions[1]),
      ratio: Timing.median(zip(seconds[0], seconds[1]).map { $0 / $1 }))
  }
}

/// The measurements of both sums of gradients in alternating training steps.
public struct ReductionComparison: Sendable, Codable {
  /// The number of ranks.
  public let ranks: Int
  /// How many numbers are trained.
  public let parameters: Int
  /// How many steps were timed with each sum.
  public let repeats: Int
  /// The median step with the sum in fixed order.
  public let fixedSecondsPerStep: Double
  /// The median step with `MPI_Allreduce`.
  public let mpiSecondsPerStep: Double
  /// The median time of the sum in fixed order, on the rank that arrives last.
  public let fixedReductionSeconds: Double
  /// The median time of `MPI_Allreduce`, on the rank that arrives last.
  public let mpiReductionSeconds: Double
  /// The median of fixed over MPI, pair by pair.
  public let ratio: Double
}
