import ArgumentParser
import Datasets
import Training

/// What comes out of an archive of sequences.
struct ArchiveOptions: ParsableArguments {
  @OptionGroup var output: OutputOption

  @Flag(help: "Keep the numbers as they are.")
  var raw = false

  /// Writes the archive's file and says what is in it.
  func write(_ archive: SequenceArchive) throws {
    try archive.write(to: output.to, normalising: !raw, compressing: output.compress)
    let steps = archive.steps
    let length =
      steps.count == 1 ? "\(steps.lowerBound)" : "\(steps.lowerBound) to \(steps.upperBound)"
    print(
      "\(output.to): \(archive.train.classes.count) training and"
        + " \(archive.test.classes.count) test sequences of \(length) steps,"
        + " C=\(archive.features), \(archive.classNames.count) classes")
  }
}

struct PrepareTS: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ts",
    abstract: "From a .ts archive, as the UEA and UCR time series repository has them.",
    discussion: """
      Sequences of any length and any number of dimensions, with a class each. Inputs are \
      normalised by mean and deviation of the training part, which the file remembers.

      momentum-dist prepare ts --from JapaneseVowels --to data/japanese-vowels.h5
      """)

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "The folder of one *_TRAIN.ts and one *_TEST.ts, or the two files.", valueName: "path"))
  var from: [String]

  @OptionGroup var options: ArchiveOptions

  func run() throws {
    do {
      try options.write(TSArchive.read(from))
    } catch {
      throw RunFailure(error)
    }
  }
}

struct PrepareCSV: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "csv",
    abstract: "From tables with a labelled sequence on each line.",
    discussion: """
      A line has the numbers of a sequence, time step by time step (with --features 2: x1, y1, x2, \
      y2, ...), and its class, a word or a number, at the end or, with --label-first, at the \
      beginning. Lines may differ in length. A class that is a string of zeros with a single one \
      in it, as in the UCI's pendigits, means the place of the one. Inputs are normalised by mean \
      and deviation of the training part, which the file remembers.

      momentum-dist prepare csv --features 2 --from pendigits.tra pendigits.tes --to \
      data/pendigits.h5
      """)

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "The training and the test table, plain or gzipped, or one table to be split.",
      valueName: "file"))
  var from: [String]

  @OptionGroup var options: ArchiveOptions

  @Option(help: "Numbers per time step.")
  var features = 1

  @Flag(help: "The class is the first field of a line.")
  var labelFirst = false

  @Option(help: "Lines to skip at the top of each table.")
  var headerLines = 0

  @Option(help: "What stands between two fields; tab for a tabulator.")
  var separator = ","

  @Option(help: "The share of sequences held out as the test part, where there is one table.")
  var testShare = 0.2

  func validate() throws {
    try require("features", features, 1...65_536)
    try require("header-lines", headerLines, 0...1_000_000)
    guard separator == "tab" || separator.utf8.count == 1 else {
      throw ValidationError("--separator is \"\(separator)\"; expected one character, or tab.")
    }
    guard testShare > 0, testShare < 1 else {
      throw ValidationError("--test-share is \(testShare); expected a number between 0 and 1.")
    }
  }

  func run() throws {
    var format = CSVFormat()
    format.features = features
    format.labelComesFirst = labelFirst
    format.headerLines = headerLines
    format.separator = separator == "tab" ? "\t" : separator.unicodeScalars.first!
    format.testShare = testShare
    do {
      try options.write(CSVTable.read(from, format))
    } catch {
      throw RunFailure(error)
    }
  }
}
