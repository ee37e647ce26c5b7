// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Benchmarks
import Files
import Foundation
import MPI
import Training

struct BenchCheckpoint: DistributedCommand {
  static let configuration = CommandConfiguration(
    commandName: "checkpoint",
    abstract: "How long a training step waits for a checkpoint, in background and foreground.",
    discussion: """
      Saves parameters with the two moments of Adam during steps of a tenth of a second. In the \
      background a step waits for a copy in memory; in the foreground, until the files are on \
      the disk. Under mpirun each rank writes its shard.
      """)

  @Option(help: "Megabytes of parameters.")
  var megabytes = 100
  @Option(help: "How many saves of each kind are timed.")
  var repeats = 5
  @Option(
    help: ArgumentHelp(
      "The folder to write to; the files are removed afterwards.", valueName: "folder"))
  var folder = "."
  @Flag(help: "Print one JSON object.")
  var json = false

  func validate() throws {
    guard 1...100_000 ~= megabytes, repeats > 0 else {
      throw ValidationError("--megabytes and --repeats must be positive.")
    }
  }

  func run() throws {
    let communicator = try Launch.communicator()
    let agreement = Agreement(communicator)
    // A unique name, because the folder is removed at the end. All ranks use rank 0's.
    let place = try agreement.fromRoot {
      DurableFiles.temporaryName(for: "\(folder)/bench-checkpoint")
    }
    defer { if communicator.rank == 0 { DurableFiles.remove(place) } }
    let result = try agreement.together {
      try CheckpointBenchmark(megabytes: megabytes, folder: place, on: communicator)
        .run(repeats: repeats)
    }
    guard communicator.rank == 0 else { return }
    if json { return print(try Bench.json(result)) }
    print(
      String(
        format: """
          %d MB of parameters, %d MB of state, %d MB on the disk; %d rank(s), steps of %.0f ms
          in the foreground a step waits %.0f ms
          in the background %.0f ms (the first time %.0f ms); the steps during the save take \
          %.0f ms longer in total, and the checkpoint is complete after %.0f ms
          """, result.parameterBytes >> 20, result.stateBytes >> 20, result.diskBytes >> 20,
        result.ranks, result.stepSeconds * 1e3, result.foregroundStallSeconds * 1e3,
        result.backgroundStallSeconds * 1e3, result.backgroundFirstStallSeconds * 1e3,
        (result.backgroundCostSeconds - result.backgroundStallSeconds) * 1e3,
        result.backgroundSeconds * 1e3))
  }
}
