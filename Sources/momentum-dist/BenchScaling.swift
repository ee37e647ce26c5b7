// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Benchmarks
import Foundation
import MPI
import Training

extension Scaling: ExpressibleByArgument {}

struct BenchScaling: DistributedCommand {
  static let configuration = CommandConfiguration(
    commandName: "scaling",
    abstract: "A training step on 1 to N ranks: efficiency, and where the time goes.",
    discussion: """
      Start it once, on all N ranks: mpirun -np 8 momentum-dist bench scaling. The first n ranks \
      run the step while the others sleep. Strong: --batch sequences over all ranks; weak: on each \
      rank.

      The parts of a step are given as shares of its time: compute (forward and backward, the mean \
      over ranks), late (how much longer the slowest rank takes), sum (the gradients over all \
      shards and ranks), optimizer, other.

      --model adds the predictions of a cost model for these numbers of ranks, next to the \
      measurements, and for many more. It measures messages, additions and the steps of a single \
      rank on this machine; for other hosts, give their link with --latency and --bandwidth.
      """)

  @OptionGroup var options: StepOptions
  @Option(
    help: ArgumentHelp(
      "Numbers of ranks, as in 1,2,4 (default: powers of two, and all).", valueName: "n,..."))
  var ranks: String?
  @Option(help: "Only strong or only weak scaling.")
  var only: Scaling?
  @Flag(help: "Add the predictions of a cost model.")
  var model = false
  @Option(help: ArgumentHelp("The most ranks to predict for.", valueName: "n"))
  var upTo = 512
  @Option(help: ArgumentHelp("Ranks per host in predictions (default: as here).", valueName: "n"))
  var ranksPerHost: Int?
  @Option(
    help: ArgumentHelp(
      "Microseconds of a short message between hosts (default: measured between hosts here, else "
        + "20).", valueName: "us"))
  var latency: Double?
  @Option(
    help: ArgumentHelp(
      "Gbit/s of a host's link, each way (default: measured between hosts here, else 10).",
      valueName: "gbit"))
  var bandwidth: Double?

  func validate() throws {
    let (batch, shards) = (options.batch, options.shards)
    guard upTo > 0 else { throw ValidationError("--up-to must be positive.") }
    guard [latency, bandwidth].allSatisfy({ $0.map { $0 > 0 && $0.isFinite } ?? true }) else {
      throw ValidationError("--latency and --bandwidth must be positive.")
    }
    if model, shards.nonzeroBitCount != 1 || batch % shards != 0 {
      throw ValidationError(
        "--model takes --shards that are a power of two, and a --batch that is a multiple of them;"
          + " found \(shards) and \(batch).")
    }
    if let ranksPerHost, ranksPerHost < 1 || ranksPerHost.nonzeroBitCount != 1 {
      throw ValidationError("--ranks-per-host \(ranksPerHost) is not a power of two.")
    }
  }

  func run() throws {
    let communicator = try Launch.communicator()
    let counts = try counts(upTo: communicator.size)
    let scalings = only.map { [$0] } ?? Scaling.allCases
    if scalings.contains(.strong), let most = counts.last, most > options.shards {
      throw RunFailure(
        .configuration,
        "--shards is \(options.shards) and --ranks goes to \(most): raise --shards, or use --only weak"
      )
    }
    let problem = try options.problem
    let benchmark = try ScalingBenchmark(
      problem, repeats: options.repeats, warmup: options.warmup, on: communicator)
    let output = ScalingOutput(isActive: communicator.rank == 0, isJSON: options.json)
    output.begin(problem, parameters: benchmark.parameterCount, ranks: communicator.size)
    var measured: [ScalingResult] = []
    for scaling in scalings {
      for count in counts {
        measured.append(try benchmark.measure(scaling, ranks: count))
        try output.add(measured.last!)
      }
    }
    guard model else { return }
    let isGiven = latency != nil || bandwidth != nil || !benchmark.spansHosts
    let costs = try benchmark.model(
      between: isGiven ? link(benchmark) : nil, ranksPerHost: ranksPerHost)
    try output.add(costs, linkIsGiven: isGiven, ranks: communicator.size)
    for scaling in scalings {
      for count in sequence(first: 1, next: { 2 * $0 }).prefix(while: { $0 <= upTo }) {
        guard let prediction = try benchmark.predict(scaling, ranks: count, by: costs) else {
          continue
        }
        try output.add(
          prediction, beside: measured.first { $0.scaling == scaling && $0.ranks == count })
      }
    }
  }

  /// The link between hosts that the options describe. All ranks of a host use it at once.
  private func link(_ benchmark: ScalingBenchmark) -> LinkSpeed {
    let ranks = Double(ranksPerHost ?? benchmark.ranksPerHost)
    return LinkSpeed(
      latency: (latency ?? 20) * 1e-6, secondsPerByte: ranks * 8 / ((bandwidth ?? 10) * 1e9))
  }

  private func counts(upTo size: Int) throws -> [Int] {
    guard let ranks else {
      let powers = sequence(first: 1, next: { 2 * $0 }).prefix { $0 < size }
      return powers + [size]
    }
    return try ranks.split(separator: ",").map { text in
      guard let count = Int(text), 1...size ~= count else {
        throw RunFailure(
          .usage, "--ranks \(ranks): \(text) is not a number of ranks from 1 to \(size)")
      }
      return count
    }.sorted()
  }
}
