// SPDX-License-Identifier: Apache-2.0

import KernelInterface
import Kernels
import MPI

/// A part of a training step.
public struct PhaseTime: Sendable, Codable {
  /// Its name in reports: "recurrent product".
  public let name: String
  /// The median of the steps.
  public let seconds: Double
  /// The share of the whole step.
  public let share: Double
  /// How long the same kernel takes for as much work if all its data are in the caches: the best of
  /// many short steps. Nil for the parts around the layers.
  public let cachedSeconds: Double?
}

/// Where the time of a training step goes.
public struct PhaseResult: Sendable, Codable {
  /// The kernels that ran: "avx2".
  public let kernels: String
  /// The median step.
  public let secondsPerStep: Double
  /// The speed of the step's multiply-adds as a share of the peak.
  public let utilisation: Double
  /// The parts that took time, in the order of a step.
  public let phases: [PhaseTime]
}

/// Measures the parts of training steps of fused layers, on one rank and one thread.
public enum PhaseBenchmark {
  /// - Returns: nil if the cell has no fused layer, whose parts are measured
  public static func run(
    _ problem: StepProblem, repeats: Int, warmup: Int, on communicator: Communicator
  ) throws -> PhaseResult? {
    let peak = KernelBackend.current.peakGFLOPS(seconds: 0.5)
    let work = try StepWork(problem, on: communicator)
    let steps = try measure(work, repeats: repeats, warmup: warmup)
    guard steps[0].kernels.values.contains(where: { $0 > 0 }) else { return nil }
    let total = Timing.median(steps.map(\.times.total))
    let cached = try cached(like: problem, on: communicator)
    var phases = KernelPhase.allCases.map { phase in
      let seconds = Timing.median(steps.map { $0.kernels[phase] ?? 0 })
      return PhaseTime(
        name: phase.name, seconds: seconds, share: seconds / total,
        // The weights are packed once a step, regardless of how much work follows.
        cachedSeconds: phase == .packing ? nil : cached[phase])
    }
    func add(_ name: String, _ seconds: (Step) -> Double) {
      let median = Timing.median(steps.map(seconds))
      phases.append(
        PhaseTime(name: name, seconds: median, share: median / total, cachedSeconds: nil))
    }
    add("clearing, read-out, loss") { $0.times.compute - $0.kernels.values.reduce(0, +) }
    add("reduction") { $0.times.reduction }
    add("clipping, optimizer") { $0.times.optimizer }
    return PhaseResult(
      kernels: KernelBackend.current.name, secondsPerStep: total,
      utilisation: problem.operations / total * 1e-9 / peak,
      phases: phases.filter { $0.seconds > 0 })
  }

  private struct Step {
    var times: StepTimes
    var kernels: [KernelPhase: Double]
  }

  private static func measure(_ work: StepWork, repeats: Int, warmup: Int) throws -> [Step] {
    for _ in 0..<warmup { _ = try work.step() }
    return try (0..<repeats).map { _ in
      var times = StepTimes()
      let kernels = try KernelBackend.phases { times = try work.step() }
      return Step(times: times, kernels: kernels)
    }
  }

  private static func cached(
    like problem: StepProblem, on communicator: Communicator
  ) throws -> CachedPhases {
    var cached = CachedPhases(rows: problem.batch, steps: problem.steps, shards: problem.shards)
    var small = problem
    (small.batch, small.steps, small.shards) = (cached.shortRows, cached.shortSteps, 1)
    let work = try StepWork(small, on: communicator)
    _ = try cached.measure { _ = try work.step() }
    return cached
  }
}

extension KernelPhase {
  /// The name in reports.
  var name: String {
    switch self {
    case .packing: "packing weights"
    case .inputProduct: "input product"
    case .recurrentProduct: "recurrent product"
    case .pointwiseForward: "pointwise forward, saving"
    case .productBackward: "product backward"
    case .pointwiseBackward: "pointwise backward, reading"
    case .inputGradient: "input gradient"
    case .weightGradient: "weight gradient"
    }
  }
}
