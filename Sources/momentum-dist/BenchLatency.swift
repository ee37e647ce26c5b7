// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Benchmarks
import Foundation

struct BenchLatency: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "latency",
    abstract: "Time one prediction: a whole trial, and one more step of a stream.",
    discussion: """
      One sequence on one thread, forward only, with an answer at every step. A stream carries its \
      state from step to step; a cell without a state, such as ndt, recomputes the whole trial. The \
      default sizes are those of the Lorenz spike set: 60 neurons, 100 steps.
      """)

  @Option(name: .customLong("cell"), parsing: .singleValue, help: "The systems.")
  var cells = ["ndt", "momentum_lstm", "lstm", "gru"]
  @Option(help: "H, units per layer.")
  var hidden = 120
  @Option(help: "Layers.")
  var layers = 2
  @Option(help: "T, steps of a trial.")
  var time = 100
  @Option(help: "C, the number of input features and of outputs.")
  var input = 60
  @Option(help: "Trials that are timed.")
  var trials = 300
  @Option(help: "Steps of a stream that are timed.")
  var steps = 3000
  @Option(help: "Untimed runs before each.")
  var warmup = 30
  @Flag(help: "Print one JSON object per line.")
  var json = false

  func validate() throws {
    for cell in cells {
      guard try !Bench.system(cell).readsMaps else {
        throw ValidationError("--cell \(cell) reads maps; bench latency supports cells on vectors.")
      }
    }
    guard hidden > 0, layers > 0, time > 0, input > 0, trials > 0, steps > 0, warmup >= 0 else {
      throw ValidationError("sizes and counts must be positive, --warmup at least 0.")
    }
  }

  func run() throws {
    for cell in cells {
      var problem = StepProblem(system: try Bench.system(cell))
      problem.hidden = hidden
      problem.layers = layers
      problem.steps = time
      problem.inputs = input
      let result = try LatencyBenchmark.run(problem, trials: trials, steps: steps, warmup: warmup)
      print(json ? try Bench.json(result) : line(result))
    }
  }

  private func line(_ result: LatencyResult) -> String {
    func text(_ latency: Latency) -> String {
      String(
        format: "median %.3f ms, 99 %% within %.3f ms, longest %.3f ms", 1e3 * latency.median,
        1e3 * latency.percentile99, 1e3 * latency.longest)
    }
    return "\(result.cell) H=\(result.hidden), \(result.layers) layer(s), "
      + "\(result.parameters) parameters, \(result.kernels): trial of \(result.time) steps "
      + text(result.trial) + "; "
      + (result.step.map { "step of a stream " + text($0) }
        ?? "no state: each step of a stream takes a whole trial")
  }
}
