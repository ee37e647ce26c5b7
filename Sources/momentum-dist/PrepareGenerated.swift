// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Datasets
import Reports
import Training

/// The number of sequences of a generated file, and its path.
struct GeneratedOptions: ParsableArguments {
  @OptionGroup var output: OutputOption

  @Option(help: "T, as dataset.steps in a configuration.")
  var steps = 100

  @Option(help: "Training sequences.")
  var train = 20_000

  @Option(help: "Validation sequences; 0 for none.")
  var validation = 1_000

  @Option(help: "Test sequences; 0 for none.")
  var test = 1_000

  @Option(help: "Another seed gives other sequences; 0 gives those that `train` generates.")
  var seed: UInt64 = 0

  func validate() throws {
    try require("steps", steps, 2...1_000_000)
    try require("train", train, 1...100_000_000)
    try require("validation", validation, 0...100_000_000)
    try require("test", test, 0...100_000_000)
  }

  /// Generates each part that has sequences.
  func parts<Source>(_ make: (Int, DatasetFile.Part) -> Source) -> [DatasetFile.Part: Source] {
    let counts: [DatasetFile.Part: Int] = [.train: train, .validation: validation, .test: test]
    return Dictionary(
      uniqueKeysWithValues: counts.filter { $0.value > 0 }.map { ($0, make($1, $0)) })
  }

  /// A line about what was written.
  func summary(_ shape: String) -> String {
    "\(output.to): \(train) training, \(validation) validation and \(test) test sequences of"
      + " \(shape)"
  }
}

/// Refuses an option's value outside a range.
func require(_ option: String, _ value: Int, _ range: ClosedRange<Int>) throws {
  guard range.contains(value) else {
    throw ValidationError(
      "--\(option) is \(value); expected a whole number within \(range.lowerBound)..."
        + "\(range.upperBound).")
  }
}

struct PrepareAdding: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "adding",
    abstract: "Generate the adding problem.",
    discussion: """
      Each step has a number in [0, 1) and a mark; the answer is the sum of the two marked \
      numbers. Answering 1 always has a mean squared error of 1/6. Training needs no file: \
      dataset.task=adding generates the same sequences during training.
      """)

  @OptionGroup var options: GeneratedOptions

  func run() throws {
    do {
      let parts = options.parts { count, part in
        AddingProblem(count: count, steps: options.steps, seed: options.seed, part: part)
      }
      try GeneratedFile.write(
        parts, to: options.output.to, compressing: options.output.compress)
      print(options.summary("\(options.steps) steps; chance \(brief(AddingProblem.chanceError))"))
    } catch {
      throw RunFailure(error)
    }
  }
}

/// The options of the copying and the denoise problem.
struct RecallOptions: ParsableArguments {
  @Option(help: "K, how many symbols are to be recalled.")
  var symbols = 10

  @Option(help: "A, how many symbols there are to choose from.")
  var alphabet = 8

  func validate() throws {
    try require("symbols", symbols, 1...10_000)
    try require("alphabet", alphabet, 1...250)
  }

  func write(_ placement: RecallProblem.Placement, _ options: GeneratedOptions) throws {
    do {
      func problem(_ count: Int, _ part: DatasetFile.Part) -> RecallProblem {
        RecallProblem(
          placement, count: count, delay: options.steps, symbols: symbols, alphabet: alphabet,
          seed: options.seed, part: part)
      }
      try GeneratedFile.write(
        options.parts(problem), to: options.output.to, compressing: options.output.compress)
      let one = problem(1, .train)
      print(options.summary("\(one.steps) steps; chance \(brief(one.chanceLoss))"))
    } catch {
      throw RunFailure(error)
    }
  }
}

struct PrepareCopying: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "copying",
    abstract: "Generate the copying problem.",
    discussion: """
      K symbols, T - 1 blanks, a marker, and K steps in which the symbols must be reproduced. \
      Without memory the cross-entropy per step is K ln A / (T + 2K). Training needs no file: \
      dataset.task=copying generates the same sequences during training.
      """)

  @OptionGroup var options: GeneratedOptions
  @OptionGroup var recall: RecallOptions

  func run() throws { try recall.write(.copying, options) }
}

struct PrepareDenoise: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "denoise",
    abstract: "Generate the denoise problem.",
    discussion: """
      K symbols at random places among T - 1 blanks, a marker, and K steps in which the symbols \
      are to be given back in order. Without memory the cross-entropy per step is \
      K ln A / (T + 2K). Training needs no file: dataset.task=denoise generates the same \
      sequences as it goes.
      """)

  @OptionGroup var options: GeneratedOptions
  @OptionGroup var recall: RecallOptions

  func run() throws { try recall.write(.denoise, options) }
}
