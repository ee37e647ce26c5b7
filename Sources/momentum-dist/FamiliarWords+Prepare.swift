// SPDX-License-Identifier: Apache-2.0

import Files
import Foundation

extension FamiliarWords {
  /// The kinds of files by the command that reads them: the endings of names, and the common words
  /// for the kind.
  private static let kinds: [(command: String, endings: [String], names: [String])] = [
    (
      "arrays", [".npy", ".npz", ".mat", ".h5", ".hdf5"],
      ["npy", "npz", "numpy", "mat", "matlab", "hdf5", "h5", "array", "torch"]
    ),
    (
      "csv", [".csv", ".tsv", ".dat", ".tra", ".csv.gz"],
      ["table", "tables", "tsv", "pandas", "dataframe", "long", "wide"]
    ),
    ("ts", [".ts"], ["uea", "ucr", "sktime"]),
    ("series", [], ["forecast", "timeseries", "time-series", "serie"]),
    (
      "images", [".png", ".jpg", ".jpeg"],
      ["image", "imagefolder", "png", "jpg", "jpeg", "imagenet", "folder", "folders"]
    ),
    ("speech", [".wav", ".flac", ".sph"], ["wav", "audio", "sound", "sounds", "timit"]),
    ("text", [".txt", ".tokens"], ["txt", "lm", "language", "words", "corpus", "wikitext"]),
    ("spikes", [".nwb"], ["nwb", "neurons", "lfads"]),
    ("mnist", ["-ubyte", "-ubyte.gz"], ["idx", "fashion-mnist", "fashion_mnist", "fashionmnist"]),
  ]

  private static var commands: [String] {
    Prepare.configuration.subcommands.map { $0._commandName }
  }

  /// The command that reads a file or folder: "csv"; nil if its name does not tell.
  private static func command(reading path: String) -> String? {
    func ofName(_ name: String) -> String? {
      let name = name.lowercased()
      return kinds.first { $0.endings.contains(where: name.hasSuffix) }?.command
    }
    guard DurableFiles.isFolder(path) else { return ofName(path) }
    // The first file with a known ending, in the folder or in a folder of it.
    let names = FileManager.default.enumerator(atPath: path)
    for _ in 0..<100 {
      guard let name = names?.nextObject() as? String else { break }
      if let found = ofName(name) { return found }
    }
    return nil
  }

  /// The command line that makes a data set of a file: "prepare csv --from x.csv --to x.h5"; nil if
  /// nothing is known to read it.
  static func preparation(
    of path: String, by command: String? = nil, _ rest: [String] = []
  ) -> String? {
    guard let command = command ?? self.command(reading: path) else { return nil }
    var words = ["prepare", command, "--from", path] + rest
    if !rest.contains(where: { $0 == "--to" || $0.hasPrefix("--to=") }) {
      let stem = DurableFiles.stem(of: DurableFiles.lastName(of: path))
      let isHDF5 = [".h5", ".hdf5"].contains(where: path.hasSuffix)
      words += ["--to", isHDF5 ? "\(stem)-data.h5" : "\(stem).h5"]
    }
    return words.map(quoted).joined(separator: " ")
  }

  /// What to type instead of an unreadable `prepare`.
  static func preparing(_ arguments: [String]) -> String? {
    guard let first = arguments.first, !first.hasPrefix("-") else { return nil }
    let rest = Array(arguments.dropFirst())
    guard commands.contains(first) else {
      let word = first.lowercased()
      let isPlace = word.contains(".") || FileManager.default.fileExists(atPath: first)
      if isPlace, let line = preparation(of: first, rest) {
        return "type `momentum-dist \(line)`"
      }
      let meant =
        kinds.first { $0.names.contains(word) }?.command ?? nearestWord(to: word, among: commands)
      return meant.flatMap { completed($0, rest) }
    }
    return ["adding", "copying", "denoise", "lorenz"].contains(first)
      ? nil : completed(first, rest, isNews: false)
  }

  /// A command with the names of its files; nil if there is nothing to add.
  private static func completed(
    _ command: String, _ rest: [String], isNews: Bool = true
  ) -> String? {
    func has(_ names: [String]) -> Bool {
      rest.contains { word in names.contains { word == $0 || word.hasPrefix("\($0)=") } }
    }
    var rest = rest
    for (names, option) in [
      (["--output", "--out", "-o"], "--to"), (["--input", "--data", "--file", "-i"], "--from"),
    ] where !has([option]) {
      if let place = rest.firstIndex(where: names.contains) { rest[place] = option }
    }
    if rest.first?.hasPrefix("-") == false {
      let own = preparation(of: rest[0], by: command, Array(rest.dropFirst()))
      return own.map { "type `momentum-dist \($0)`" }
    }
    if let place = rest.firstIndex(of: "--from"), place + 1 < rest.count {
      let path = rest[place + 1]
      rest.removeSubrange(place...place + 1)
      return preparation(of: path, by: command, rest).map { "type `momentum-dist \($0)`" }
    }
    return isNews ? "type `momentum-dist prepare \(command) --from FILE --to FILE.h5`" : nil
  }
}
