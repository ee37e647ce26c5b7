// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Datasets
import Training

struct PrepareCSV: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "csv",
    abstract: "From tables of labelled sequences.",
    discussion: """
      A line has the numbers of a sequence, time step by time step (with --features 2: x1, y1, x2, \
      y2, ...), and its class, a word or a number, at the end or, with --label-first, at the \
      beginning. Lines may differ in length. A class may be a string of zeros with a single one, \
      as in the UCI's pendigits: the position of the one is the class. Inputs are normalised by \
      the mean and deviation of the training part, which are stored in the file.

      The separator, a header line and an index column are detected and printed, unless options \
      set them. Fields may be quoted; if the separator is not a comma, numbers may have \
      decimal commas. Tables are UTF-8 text, or UTF-16 with a byte order mark, plain or gzipped.

      With --id, a line is one time step: --id names the column of sequence ids, --time the one \
      that orders the steps, --target the class, and --values the numbers of a step. The times \
      themselves are written with --times.

      momentum-dist prepare csv --features 2 --from pendigits.tra pendigits.tes --to \
      data/pendigits.h5
      momentum-dist prepare csv --id patient --time hour --target outcome --values pulse,pressure \
      --from stays.csv --to data/stays.h5
      """)

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "The training and test tables, or one table to split; plain or gzipped.",
      valueName: "file"))
  var from: [String]

  @OptionGroup var options: ArchiveOptions

  @Option(help: "Numbers per time step.")
  var features = 1

  @Flag(help: "The class is the first field of a line.")
  var labelFirst = false

  @Option(
    help: ArgumentHelp(
      "Lines to skip at the top of each table; the last one may name the columns. By default,"
        + " a header line is detected.", valueName: "n"))
  var headerLines: Int?

  @Option(
    help: ArgumentHelp(
      "The field separator: one character, tab, or space for any number of spaces."
        + " By default, it is detected.", valueName: "character"))
  var separator: String?

  @Option(
    help: ArgumentHelp(
      "Whether the first column is a line index to leave out; auto decides by its name.",
      valueName: "auto|yes|no"))
  var index = CSVFormat.IndexColumn.auto

  @Option(help: ArgumentHelp("The name of the class column.", valueName: "name"))
  var target: String?

  @Option(
    help: ArgumentHelp(
      "The names of the value columns, separated by commas. By default, all columns that have no"
        + " other role.", valueName: "names"))
  var values: String?

  @Option(
    help: ArgumentHelp(
      "The column that names the sequence, in a table with one time step per line.",
      valueName: "name"))
  var id: String?

  @Option(
    help: ArgumentHelp("With --id: the column that orders the steps.", valueName: "name"))
  var time: String?

  @Option(
    help: ArgumentHelp(
      "What the target is: a class, a number (regression), labels such as dog|cat (multilabel), or,"
        + " with --id, a class on each line (tagging).",
      valueName: "classification|regression|tagging|multilabel"))
  var task = SequenceArchive.Target.classes

  @Option(help: "The share of sequences held out as the test part if only one table is given.")
  var testShare = 0.2

  func validate() throws {
    try require("features", features, 1...65_536)
    if let headerLines { try require("header-lines", headerLines, 0...1_000_000) }
    if let separator {
      guard ["tab", "space"].contains(separator) || separator.utf8.count == 1 else {
        throw ValidationError(
          "--separator is \"\(separator)\"; expected one character, tab, or space.")
      }
    }
    try requireShare("test-share", testShare)
    if id == nil, time != nil {
      throw ValidationError("--time needs --id, the column of the sequence.")
    }
    if id != nil, target == nil {
      throw ValidationError("--id needs --target, the column of the class.")
    }
    if labelFirst, target != nil {
      throw ValidationError("--label-first and --target both name the class; give one of them.")
    }
    if id != nil, features != 1 {
      throw ValidationError("--features is for lines of whole sequences; with --id, use --values.")
    }
  }

  func run() throws {
    var format = CSVFormat()
    format.features = features
    format.labelComesFirst = labelFirst
    format.headerLines = headerLines
    format.separator = separator.map { name in
      ["tab": "\t", "space": " "][name] ?? name.unicodeScalars.first!
    }
    format.index = index
    format.missing = options.missing
    format.testShare = testShare
    format.task = task
    format.target = target
    format.values = names(inList: values)
    format.id = id
    format.time = time
    do {
      try options.write(CSVTable.read(from, format))
    } catch {
      throw RunFailure(error)
    }
  }
}
