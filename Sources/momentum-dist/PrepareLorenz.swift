// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Datasets
import Training

struct PrepareLorenz: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lorenz",
    abstract: "Generate spike counts of neurons driven by the Lorenz system.",
    discussion: """
      Each condition starts the system x' = s (y - x), y' = x (r - z) - y, z' = x y - b z from \
      another random state and runs it by Euler steps of --dt, one per bin. A neuron's rate is the \
      exponential of random weights, U(-1, 1), times the standardised coordinates, scaled to the \
      mean --rate. Trials of a condition have the same rates; counts are Poisson numbers. The true \
      rates are kept, and their score is printed: a model can exceed it only by chance.

      The same seed gives the same file. The last trials of each condition are for validation.

      momentum-dist prepare lorenz --to data/lorenz.h5
      momentum-dist prepare lorenz --held-out 15 --seed 7 --to data/lorenz-7.h5
      """)

  @OptionGroup var split: SpikeSplitOptions

  @Option(help: "Initial states.")
  var conditions = 20

  @Option(help: "Trials of each condition.")
  var trials = 40

  @Option(help: "T, bins of a trial.")
  var steps = 100

  @Option(help: "C, neurons.")
  var neurons = 60

  @Option(help: ArgumentHelp("How long a bin is.", valueName: "ms"))
  var binMs = 10.0

  @Option(help: ArgumentHelp("The mean rate of each neuron.", valueName: "Hz"))
  var rate = 5.0

  @Option(help: ArgumentHelp("σ of the Lorenz system.", valueName: "number"))
  var sigma = 10.0

  @Option(help: ArgumentHelp("ρ of the Lorenz system.", valueName: "number"))
  var rho = 28.0

  @Option(help: ArgumentHelp("β of the Lorenz system.", valueName: "number"))
  var beta = 8.0 / 3

  @Option(help: ArgumentHelp("Time of the system from bin to bin.", valueName: "time"))
  var dt = 0.006

  @Option(help: ArgumentHelp("Another seed gives other trials.", valueName: "number"))
  var seed: UInt64 = 1

  func validate() throws {
    try require("conditions", conditions, 1...100_000)
    try require("trials", trials, 1...100_000)
    try require("steps", steps, 2...100_000)
    try require("neurons", neurons, 1...100_000)
    for (name, value, range) in [
      ("bin-ms", binMs, 0.01...100_000), ("rate", rate, 0.001...10_000), ("dt", dt, 1e-6...0.1),
      ("sigma", sigma, 0...1000), ("rho", rho, 0...1000), ("beta", beta, 0...1000),
    ] where !range.contains(value) {
      throw ValidationError(
        "--\(name) is \(value); expected a number within \(range.lowerBound)..."
          + "\(range.upperBound).")
    }
    let most = 1 << 28
    guard conditions * trials <= most / steps / neurons else {
      throw ValidationError(
        "--conditions, --trials, --steps and --neurons make more than \(most) counts.")
    }
  }

  func run() throws {
    do {
      var system = LorenzSpikes()
      (system.conditions, system.trials) = (conditions, trials)
      (system.steps, system.neurons) = (steps, neurons)
      (system.binSeconds, system.rate) = (binMs / 1000, rate)
      (system.sigma, system.rho, system.beta, system.timeStep) = (sigma, rho, beta, dt)
      system.seed = seed
      try split.write(SpikeArchive.lorenz(system, split.options(seed: seed)))
    } catch {
      throw RunFailure(error)
    }
  }
}
