import ArgumentParser
import Datasets
import Files
import Training

struct PrepareSeries: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "series",
    abstract: "From series to forecast: a table with a time step per line.",
    discussion: """
      The table has one series, or several, which --id tells apart; --time orders the steps, and \
      --values names the columns (by default, all others). A .npy of [T, C], or [S, T, C], is read \
      too. The parts are cut by time: the last steps of each series are for the test, those before \
      for validation. Values are normalised by mean and deviation of the training part.

      momentum-dist prepare series --time month --values passengers --from airline.csv --to air.h5
      momentum-dist train --set dataset.task=forecast --set dataset.file=air.h5 --set \
      dataset.window=24 --set dataset.horizon=12
      """)

  @Option(help: ArgumentHelp("The table, or a .npy or .npz file.", valueName: "file"))
  var from: String

  @OptionGroup var output: OutputOption

  @Option(help: ArgumentHelp("The column that names the series.", valueName: "name"))
  var id: String?

  @Option(help: ArgumentHelp("The column that orders the steps.", valueName: "name"))
  var time: String?

  @Option(help: ArgumentHelp("The value columns, separated by commas.", valueName: "names"))
  var values: String?

  @Option(help: "The share of each series that is validated on.")
  var validationShare = 0.15

  @Option(help: "The share of each series that is tested on, the last.")
  var testShare = 0.15

  @Option(
    help: ArgumentHelp(
      "How to treat missing values, as in `prepare csv`.", valueName: "refuse|zero|carry|drop"))
  var missing = MissingValues.refuse

  func validate() throws {
    for (name, share) in [("validation-share", validationShare), ("test-share", testShare)] {
      guard share > 0, share < 0.5 else {
        throw ValidationError("--\(name) is \(share); expected a number between 0 and 0.5.")
      }
    }
  }

  func run() throws {
    var format = CSVFormat()
    (format.id, format.time, format.missing) = (id, time, missing)
    format.values =
      values.map { list in
        list.split(separator: ",").map { String($0.drop(while: \.isWhitespace)) }
      } ?? []
    do {
      var archive = try SeriesArchive(from, format)
      (archive.validationShare, archive.testShare) = (validationShare, testShare)
      try archive.write(to: output.to, compressing: output.compress)
      for note in archive.series.notes { print(note.visible) }
      for (index, line) in archive.lines.enumerated() {
        print(index == 0 ? "\(output.to): \(line)" : line)
      }
      print(
        "next: momentum-dist train --set dataset.task=forecast --set"
          + " dataset.file=\(output.to) --set dataset.window=32 --set dataset.horizon=1")
    } catch {
      throw RunFailure(error)
    }
  }
}
