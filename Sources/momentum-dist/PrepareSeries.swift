// SPDX-License-Identifier: Apache-2.0

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
      too. The parts are cut by time: the last steps of each series are the test part, and the \
      steps before them the validation part. Values are normalised by the mean and deviation of \
      the training part.

      momentum-dist prepare series --time month --values passengers --from airline.csv --to air.h5
      momentum-dist train --set dataset.task=forecast --set dataset.file=air.h5 --set \
      dataset.window=24 --set dataset.horizon=12
      """)

  @Option(help: ArgumentHelp("The table, or a .npy or .npz file.", valueName: "file"))
  var from: String

  @OptionGroup var output: OutputOption

  @OptionGroup var columns: TableColumns

  @Option(help: "The share of each series used for validation.")
  var validationShare = 0.15

  @Option(help: "The share at the end of each series used for testing.")
  var testShare = 0.15

  func validate() throws {
    try requireShare("validation-share", validationShare, below: 0.5)
    try requireShare("test-share", testShare, below: 0.5)
  }

  func run() throws {
    do {
      var archive = try SeriesArchive(from, columns.format)
      (archive.validationShare, archive.testShare) = (validationShare, testShare)
      try archive.write(to: output.to, compressing: output.compress)
      for note in archive.series.notes { print(note.visible) }
      for (index, line) in archive.lines.enumerated() {
        print((index == 0 ? "\(output.to): \(line)" : line).visible)
      }
      print(
        "next: momentum-dist train --set dataset.task=forecast --set"
          + " dataset.file=\(output.to) --set dataset.window=32 --set dataset.horizon=1")
    } catch {
      throw RunFailure(error)
    }
  }
}
