// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Benchmarks
import Foundation

struct BenchKernels: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "kernels",
    abstract: "Forward and backward passes of single layers, next to OpenBLAS's product.",
    discussion: """
      The last figure of a line is the limit: the share of the peak that the same kernels reach with \
      all data in the caches, as the best of many short passes.

      The environment variable MOMENTUM_DIST_KERNELS chooses another variant.

      --accuracy measures errors instead of times, for every variant that this processor runs: \
      exp, tanh and the logistic function against Double on every k-th Float, in units of the last \
      place; and each cell's layer against the scalar reference in Double, forward and backward. \
      Exits with 1 if an error exceeds its limit.
      """)

  @Option(name: .customLong("cell"), parsing: .singleValue, help: "The recurrent systems to time.")
  var cells = ["lstm", "momentum_lstm", "gru", "rnn_tanh", "dtriv"]
  @Option(name: .customLong("hidden"), parsing: .singleValue, help: "H, units.")
  var sizes = [128, 256, 512]
  @Option(help: "Sequences.")
  var batch = 128
  @Option(help: "T, time steps.")
  var time = 64
  @Option(help: "How many times each is timed.")
  var repeats = 5
  @Flag(help: "Measure errors instead of times.")
  var accuracy = false
  @Option(
    help: ArgumentHelp("Try every k-th Float; 1 tries all and takes minutes.", valueName: "k"))
  var every = 997
  @Flag(help: "Print one JSON object per line.")
  var json = false

  func validate() throws {
    for cell in cells { _ = try Bench.system(cell) }
    guard sizes.allSatisfy({ $0 > 0 }), batch > 0, time > 0, repeats > 0, every > 0 else {
      throw ValidationError("sizes and counts must be positive.")
    }
  }

  func run() throws {
    if accuracy { return try measureAccuracy() }
    let systems = try cells.map { try Bench.system($0) }
    let results = try KernelBenchmark.run(
      systems: systems, hidden: sizes, rows: batch, steps: time, repeats: repeats)
    for result in results {
      if json {
        print(try Bench.json(result))
      } else {
        let title = "\(result.kernel) \(result.system) H=\(result.hidden)"
        var line =
          title.padding(toLength: 34, withPad: " ", startingAt: 0)
          + String(
            format: "%9.3f ms  %6.1f of %6.1f GFLOP/s  %3.0f %%", result.seconds * 1e3,
            result.gflops, result.peakGflops, 100 * result.utilisation)
        if let limit = result.cachedUtilisation {
          line += String(format: ", %3.0f %% in the caches", 100 * limit)
        }
        print(line)
      }
    }
  }

  private func measureAccuracy() throws {
    var isGood = true
    func add(_ result: some AccuracyResult) throws {
      isGood = isGood && result.passes
      print(json ? try Bench.json(result) : result.description)
      fflush(nil)
    }
    try FunctionAccuracy.measureAll(every: every, add)
    try LayerAccuracy.measureAll(add)
    if !isGood { throw ExitCode(1) }
  }
}
