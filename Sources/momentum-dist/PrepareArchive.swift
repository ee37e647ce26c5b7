// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Datasets
import Files
import Training

extension MissingValues: ExpressibleByArgument {}
extension SequenceArchive.Target: ExpressibleByArgument {}
extension CSVFormat.IndexColumn: ExpressibleByArgument {}

/// How to make a data set from an archive of sequences.
struct ArchiveOptions: ParsableArguments {
  @OptionGroup var output: OutputOption

  @Flag(help: "Keep the numbers as they are.")
  var raw = false

  @Option(
    help: ArgumentHelp(
      "How to treat missing values (empty, ?, NaN): refuse reports an error; zero uses 0; carry"
        + " repeats the previous step's value; drop leaves the step out.",
      valueName: "refuse|zero|carry|drop"))
  var missing = MissingValues.refuse

  @Flag(
    help: ArgumentHelp(
      "Write when each step happened, for layers that read times: as the files say, dates in"
        + " seconds since the first of their sequence; or else the number of the step, from 0."))
  var times = false

  @Option(
    help: ArgumentHelp(
      "Keep the steps 0, k, 2k ... of each sequence, as at a lower rate.", valueName: "k"))
  var keepEvery = 1

  @Option(
    help: ArgumentHelp("The same for training sequences alone.", valueName: "k"))
  var trainEvery: Int?

  @Option(
    help: ArgumentHelp("The same for test sequences alone.", valueName: "k"))
  var testEvery: Int?

  @Option(
    help: ArgumentHelp(
      "After that, leave out this share of the steps of each sequence at random.",
      valueName: "share"))
  var dropShare = 0.0

  @Option(
    help: ArgumentHelp(
      "With --drop-share: chooses the steps (default: 1).", valueName: "number"))
  var seed: UInt64?

  func validate() throws {
    for (name, value) in [
      ("keep-every", keepEvery), ("train-every", trainEvery ?? 1), ("test-every", testEvery ?? 1),
    ] { try require(name, value, 1...1_000_000) }
    try requireShare("drop-share", dropShare, allowsNone: true)
    if seed != nil, dropShare == 0 {
      throw ValidationError("--seed needs --drop-share, whose steps it chooses.")
    }
  }

  private var sampling: StepSampling {
    var sampling = StepSampling()
    (sampling.trainEvery, sampling.testEvery) = (trainEvery ?? keepEvery, testEvery ?? keepEvery)
    (sampling.dropShare, sampling.seed) = (dropShare, seed ?? 1)
    return sampling
  }

  /// Writes the archive's file, and prints its notes and a summary.
  func write(_ archive: SequenceArchive) throws {
    let archive = try archive.sampled(sampling)
    try archive.write(
      to: output.to, normalising: !raw, withTimes: times, compressing: output.compress)
    for note in archive.notes { printFitted(note) }
    let steps = archive.steps
    let length =
      steps.count == 1 ? "\(steps.lowerBound)" : "\(steps.lowerBound) to \(steps.upperBound)"
    printFitted(
      "\(output.to): \(archive.train.sequences.count) training and"
        + " \(archive.test.sequences.count) test sequences of \(length) steps,"
        + " C=\(archive.features)"
        + (archive.target == .values ? "" : ", \(archive.classNames.count)")
        + (archive.target == .values ? "" : archive.target == .labels ? " labels" : " classes"))
    for line in ArchiveSummary(archive).lines { printFitted(line) }
    print(
      "next: momentum-dist train --set dataset.task=\(archive.target.rawValue)"
        + " --set dataset.file=\(output.to)")
  }
}

struct PrepareTS: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ts",
    abstract: "From a .ts archive, the format of the UEA and UCR time series repository.",
    discussion: """
      Sequences of any length and any number of dimensions, with a class each, with or without \
      time stamps. Inputs are normalised by the mean and deviation of the training part, which are \
      stored in the file.

      With --train-every and --test-every the two parts have different rates. With --times, layers \
      that read times know how far apart the steps are, even if --missing drop or --drop-share \
      leaves some out.

      momentum-dist prepare ts --from JapaneseVowels --to data/japanese-vowels.h5
      momentum-dist prepare ts --from JapaneseVowels --train-every 2 --times --to data/half-rate.h5
      """)

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "The folder of one *_TRAIN.ts and one *_TEST.ts, or the two files.", valueName: "path"))
  var from: [String]

  @OptionGroup var options: ArchiveOptions

  func run() throws {
    do {
      try options.write(TSArchive.read(from, missing: options.missing))
    } catch {
      throw RunFailure(error)
    }
  }
}
