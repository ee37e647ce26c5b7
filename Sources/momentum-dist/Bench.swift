import ArgumentParser
import Benchmarks
import Cells
import Foundation
import MPI
import Training

struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure the speed of this machine.",
    discussion: """
      Every figure stands beside the peak of the core, measured in the same process just before. \
      Machines drift: compare ratios, and medians of several runs.
      """,
    subcommands: [
      BenchStep.self, BenchKernels.self, BenchAllreduce.self, BenchScaling.self,
      BenchCheckpoint.self,
    ])

  /// The system of that name.
  static func system(_ name: String) throws -> RecurrentSystem {
    guard let system = RecurrentSystem(named: name) else {
      throw ValidationError(
        "there is no cell \(name); there are "
          + RecurrentSystem.all.map(\.name).joined(separator: ", "))
    }
    return system
  }

  static func json(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }
}

extension ReductionKind: ExpressibleByArgument {}

struct BenchStep: DistributedCommand {
  static let configuration = CommandConfiguration(
    commandName: "step",
    abstract: "A full training step: forward, backward, reduction, clipping, optimizer.",
    discussion: "Under mpirun the batch is that of all ranks together.")

  @Option(help: "The recurrent system.")
  var cell = "momentum_lstm"
  @Option(help: "H, units per layer.")
  var hidden = 128
  @Option(help: "Sequences per step, over all ranks.")
  var batch = 128
  @Option(help: "T, time steps.")
  var time = 784
  @Option(help: "C, input features.")
  var input = 1
  @Option(help: "Recurrent layers.")
  var layers = 1
  @Option(help: "Virtual shards.")
  var shards = 8
  @Option(help: "Threads of each rank.")
  var threads = 1
  @Option(help: "How gradients are summed: fixed or mpi.")
  var reduction = ReductionKind.fixed
  @Flag(help: "Take turns between both ways of summing, step by step, and compare them.")
  var compareReductions = false
  @Option(help: "Bytes that are summed at a time.")
  var bucketBytes = 1 << 20
  @Flag(help: "Sum on a thread beside the backward pass.")
  var overlap = false
  @Option(help: "Steps that are timed.")
  var repeats = 5
  @Option(help: "Steps before that.")
  var warmup = 2
  @Flag(help: "Print one JSON object.")
  var json = false

  func validate() throws {
    _ = try Bench.system(cell)
    guard hidden > 0, time > 0, input > 0, layers > 0, shards > 0, threads > 0, repeats > 0,
      warmup >= 0
    else {
      throw ValidationError("sizes and counts must be positive.")
    }
    guard bucketBytes >= 4 else {
      throw ValidationError("--bucket-bytes \(bucketBytes) is less than one number.")
    }
    guard batch >= shards else {
      throw ValidationError("--batch \(batch) is smaller than --shards \(shards).")
    }
  }

  func run() throws {
    let communicator = try Launch.communicator()
    guard shards >= communicator.size else {
      throw RunFailure(
        .configuration,
        "--shards is \(shards) and there are \(communicator.size) ranks: raise --shards")
    }
    var problem = StepProblem(system: try Bench.system(cell))
    problem.hidden = hidden
    problem.batch = batch
    problem.steps = time
    problem.inputs = input
    problem.layers = layers
    problem.shards = shards
    problem.threads = threads
    problem.usesMPIReduction = reduction == .mpi
    problem.overlaps = overlap
    problem.bucketBytes = bucketBytes
    if compareReductions { return try compare(problem, on: communicator) }
    let result = try StepBenchmark.run(
      problem, repeats: repeats, warmup: warmup, on: communicator)
    guard communicator.rank == 0 else { return }
    if json { return print(try Bench.json(result)) }
    print(
      String(
        format: "%@ H=%d N=%d T=%d C=%d, %d rank(s) x %d thread(s), %@: %.4f s a step, %.1f sequences/s, "
          + "%.1f of %.1f GFLOP/s a thread, %.0f %% of the peak",
        result.cell, result.hidden, result.batch, result.time, result.input, result.ranks,
        result.threads, result.kernels, result.secondsPerStep, result.sequencesPerSecond, result.gflops,
        result.peakGflops, 100 * result.utilisation))
  }

  private func compare(_ problem: StepProblem, on communicator: Communicator) throws {
    let result = try StepBenchmark.compareReductions(
      problem, repeats: repeats, warmup: warmup, on: communicator)
    guard communicator.rank == 0 else { return }
    if json { return print(try Bench.json(result)) }
    print(
      String(
        format: "%d rank(s), %d parameters: fixed %.4f s a step (sum %.2f ms), mpi %.4f s "
          + "(%.2f ms), ratio %.3f",
        result.ranks, result.parameters, result.fixedSeconds, 1e3 * result.fixedReductionSeconds,
        result.mpiSeconds, 1e3 * result.mpiReductionSeconds, result.ratio))
  }
}

struct BenchKernels: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "kernels",
    abstract: "Forward and backward passes of single layers, beside OpenBLAS's product.",
    discussion: "The environment variable MOMENTUM_DIST_KERNELS chooses another variant.")

  @Option(name: .customLong("cell"), parsing: .singleValue, help: "The recurrent systems.")
  var cells = ["lstm", "momentum_lstm", "gru", "rnn_tanh", "dtriv"]
  @Option(name: .customLong("hidden"), parsing: .singleValue, help: "H, units.")
  var sizes = [128, 256, 512]
  @Option(help: "Sequences.")
  var batch = 128
  @Option(help: "T, time steps.")
  var time = 64
  @Option(help: "How often each is timed.")
  var repeats = 5
  @Flag(help: "Print one JSON object a line.")
  var json = false

  func validate() throws {
    for cell in cells { _ = try Bench.system(cell) }
    guard sizes.allSatisfy({ $0 > 0 }), batch > 0, time > 0, repeats > 0 else {
      throw ValidationError("sizes and counts must be positive.")
    }
  }

  func run() throws {
    let systems = try cells.map { try Bench.system($0) }
    let results = KernelBenchmark.run(
      systems: systems, hidden: sizes, rows: batch, steps: time, repeats: repeats)
    for result in results {
      if json {
        print(try Bench.json(result))
      } else {
        let title = "\(result.kernel) \(result.system) H=\(result.hidden)"
        print(
          title.padding(toLength: 40, withPad: " ", startingAt: 0)
            + String(
              format: "%9.3f ms  %6.1f of %6.1f GFLOP/s  %3.0f %%", result.seconds * 1e3,
              result.gflops, result.peakGflops, 100 * result.utilisation))
      }
    }
  }
}
