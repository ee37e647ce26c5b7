import ArgumentParser
import Datasets
import Training

extension MissingValues: ExpressibleByArgument {}
extension CSVFormat.IndexColumn: ExpressibleByArgument {}

/// What comes out of an archive of sequences.
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

  /// Writes the archive's file, and prints its notes and a summary.
  func write(_ archive: SequenceArchive) throws {
    try archive.write(to: output.to, normalising: !raw, compressing: output.compress)
    for note in archive.notes { print(note) }
    let steps = archive.steps
    let length =
      steps.count == 1 ? "\(steps.lowerBound)" : "\(steps.lowerBound) to \(steps.upperBound)"
    print(
      "\(output.to): \(archive.train.classes.count) training and"
        + " \(archive.test.classes.count) test sequences of \(length) steps,"
        + " C=\(archive.features), \(archive.classNames.count) classes")
    print("training and test sequences by class: \(classes(of: archive))")
  }

  /// The counts of each class, of the first ones where there are many.
  private func classes(of archive: SequenceArchive) -> String {
    let shown = 12
    let counts = zip(archive.classNames, archive.classCounts).prefix(shown)
      .map { "\($0) \($1.train)+\($1.test)" }
    return counts.joined(separator: ", ")
      + (archive.classNames.count > shown ? ", ... (\(archive.classNames.count) classes)" : "")
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
      try options.write(TSArchive.read(from, missing: options.missing))
    } catch {
      throw RunFailure(error)
    }
  }
}
