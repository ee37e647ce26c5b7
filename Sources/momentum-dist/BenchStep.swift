// SPDX-License-Identifier: Apache-2.0

import Configuration
import ArgumentParser
import Benchmarks
import Foundation
import MPI
import Training

extension ReductionKind: ExpressibleByArgument {}

struct BenchStep: DistributedCommand {
  static let configuration = CommandConfiguration(
    commandName: "step",
    abstract: "A full training step: forward, backward, reduction, clipping, optimizer.",
    discussion: "Under mpirun, --batch counts the sequences of all ranks together.")

  @OptionGroup var options: StepOptions
  @Option(help: "Threads of each rank.")
  var threads = 1
  @Option(help: "How gradients are summed: fixed or mpi.")
  var reduction = ReductionKind.fixed
  @Flag(help: "Alternate between both ways of summing, step by step, and compare them.")
  var compareReductions = false
  @Flag(help: "Sum on a separate thread during the backward pass.")
  var overlap = false

  @Flag(
    help: """
      Where the time goes: the parts of a step, and for the parts of the layers the time of the same \
      work with all data in the caches. One rank, one thread, fused layers.
      """)
  var phases = false

  func validate() throws {
    guard threads > 0 else { throw ValidationError("--threads must be positive.") }
    guard !phases || threads == 1 && !compareReductions else {
      throw ValidationError("--phases takes one thread, and not --compare-reductions.")
    }
  }

  func run() throws {
    let communicator = try Launch.communicator()
    guard options.shards >= communicator.size else {
      throw RunFailure(
        .configuration,
        "--shards is \(options.shards) and there are \(communicator.size) ranks: raise --shards")
    }
    var problem = try options.problem
    problem.threads = threads
    problem.usesMPIReduction = reduction == .mpi
    problem.overlaps = overlap
    if compareReductions { return try compare(problem, on: communicator) }
    if phases { return try showPhases(problem, on: communicator) }
    let result = try StepBenchmark.run(
      problem, repeats: options.repeats, warmup: options.warmup, on: communicator)
    guard communicator.rank == 0 else { return }
    if options.json { return print(try Bench.json(result)) }
    print(line(result))
  }

  private func line(_ result: StepResult) -> String {
    var line = String(
      format: "%@ H=%d N=%d T=%d C=%d, %d rank(s) x %d thread(s), %@: %.4f s a step, "
        + "%.1f sequences/s, %.1f of %.1f GFLOP/s a thread, %.0f %% of the peak, %.0f MB at most",
      result.title, result.hidden, result.batch, result.time, result.input, result.ranks,
      result.threads, result.kernels, result.secondsPerStep, result.sequencesPerSecond,
      result.gflops, result.peakGflops, 100 * result.utilisation,
      Double(result.peakMemoryBytes) * 1e-6)
    if let orthogonal = result.orthogonal {
      line += String(
        format: "; the orthogonal map takes %.4f s of the step (%d call(s)), its adjoint %.4f s "
          + "(%d): %.1f %%",
        orthogonal.mapSeconds, orthogonal.mapsPerStep, orthogonal.adjointSeconds,
        orthogonal.adjointsPerStep, 100 * orthogonal.share)
    }
    return line
  }

  private func showPhases(_ problem: StepProblem, on communicator: Communicator) throws {
    guard communicator.size == 1 else {
      throw RunFailure(
        .usage, "--phases measures one rank and there are \(communicator.size): leave out mpirun")
    }
    guard
      let result = try PhaseBenchmark.run(
        problem, repeats: options.repeats, warmup: options.warmup, on: communicator)
    else {
      throw RunFailure(
        .usage,
        "\(problem.system.name) has no fused layer, whose parts --phases measures; lstm, gru,"
          + " rnn_tanh and the drives on them have")
    }
    if options.json { return print(try Bench.json(result)) }
    print(
      String(
        format: "%.4f s a step, %.0f %% of the peak, %@", result.secondsPerStep,
        100 * result.utilisation, result.kernels))
    print("part                              ms   % of step   in the caches, ms   share")
    for phase in result.phases {
      let name = phase.name.padding(toLength: 28, withPad: " ", startingAt: 0)
      var line = String(format: "%@ %8.2f %11.1f", name, 1e3 * phase.seconds, 100 * phase.share)
      if let cached = phase.cachedSeconds {
        line += String(format: " %19.2f %5.0f %%", 1e3 * cached, 100 * cached / phase.seconds)
      }
      print(line)
    }
  }

  private func compare(_ problem: StepProblem, on communicator: Communicator) throws {
    let result = try StepBenchmark.compareReductions(
      problem, repeats: options.repeats, warmup: options.warmup, on: communicator)
    guard communicator.rank == 0 else { return }
    if options.json { return print(try Bench.json(result)) }
    print(
      String(
        format: "%d rank(s), %d parameters: fixed %.4f s a step (sum %.2f ms), mpi %.4f s "
          + "(%.2f ms), ratio %.3f",
        result.ranks, result.parameters, result.fixedSecondsPerStep,
        1e3 * result.fixedReductionSeconds,
        result.mpiSecondsPerStep, 1e3 * result.mpiReductionSeconds, result.ratio))
  }
}
