// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import MPI
import Training

#if canImport(Glibc)
  import Glibc
#endif

struct Generate: DistributedCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write text with a trained language model.",
    discussion: """
      Continues the prompt token by token: words or characters, whichever the text was cut \
      into. The same seed writes the same text. For a run, the checkpoint that was best on \
      validation is used. The vocabulary is in the run's folder, so the data are not needed; for \
      a checkpoint without its run, add --set dataset.file=FILE.h5.
      """)

  @Argument(help: "The folder of a run, or of a checkpoint.")
  var checkpoint: String

  @Option(help: "What the text starts with.")
  var prompt: String

  @Option(help: "How many tokens to write.")
  var length = 100

  @Option(help: "Below 1 favours likely tokens, above 1 unlikely ones; 0 takes the likeliest.")
  var temperature = 1.0

  @Option(help: "Choose only among the N likeliest tokens; 0 is all.")
  var topK = 0

  @Option(help: "The seed of the random choices.")
  var seed: UInt64 = 1

  @Option(
    name: .customLong("set"), parsing: .singleValue,
    help: ArgumentHelp("Set a key of the configuration.", valueName: "key.path=value"))
  var assignments: [String] = []

  func validate() throws {
    func check(_ name: String, _ value: some Any, _ isGood: Bool, _ expected: String) throws {
      if !isGood { throw ValidationError("--\(name) is \(value); expected \(expected).") }
    }
    try check("length", length, length >= 0, "a number that is not negative")
    try check("top-k", topK, topK >= 0, "a number that is not negative")
    try check(
      "temperature", temperature, temperature >= 0 && temperature.isFinite,
      "a number that is not negative")
  }

  func run() throws {
    let communicator = try Launch.communicator()
    let agreement = Agreement(communicator)
    let saved = try TrainedCheckpoint(
      at: checkpoint, choice: .best, agreement,
      saying: Progress(isActive: communicator.rank == 0))
    // Every rank computes the same text, so no rank waits for another; only rank 0 prints it.
    let text = try agreement.together {
      try TextGenerator(saved, assignments: assignments).text(
        prompt: prompt, length: length, .init(temperature: temperature, topK: topK, seed: seed))
    }
    guard communicator.rank == 0 else { return }
    // The symbols come from the user's text: a file gets them unchanged.
    Swift.print(isatty(STDOUT_FILENO) == 1 ? shown(text) : text)
  }
}
