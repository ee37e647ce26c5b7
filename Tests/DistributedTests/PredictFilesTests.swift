// SPDX-License-Identifier: Apache-2.0

import Foundation
import HDF5
import TestSupport
import Testing

/// What `predict` writes, replaces and refuses to replace, and how it names sequences and classes.
@Suite(.serialized) struct PredictFilesTests {
  private func train(_ settings: [String], in folder: String) throws {
    _ = try Program.succeed(
      ["train", "--output", "run"] + settings.flatMap { ["--set", $0] }, in: folder)
  }

  private static let adding = [
    "dataset.steps=4", "epochs=1", "dataset.train_count=256", "model.hidden_size=4",
  ]

  private func write(_ text: String, _ name: String, in folder: String) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
  }

  private func read(_ name: String, in folder: String) throws -> String {
    try String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8)
  }

  /// Two sequences of four steps, a step on each line.
  private let table =
    "who,a,b\n" + (0..<8).map { "\($0 / 4),0.\($0),\($0 % 2)\n" }.joined()
  private let columns = ["--id", "who", "--values", "a,b"]

  @Test func nothingOfAnothersIsReplaced() throws {
    try Places.withTemporaryFolder { folder in
      try train(Self.adding, in: folder)
      try write(table, "x.csv", in: folder)
      let predict = ["predict", "run", "x.csv"] + columns
      try write("mine", "mine.csv", in: folder)
      try FileManager.default.createSymbolicLink(
        atPath: "\(folder)/link.csv", withDestinationPath: "x.csv")
      try FileManager.default.createSymbolicLink(
        atPath: "\(folder)/here", withDestinationPath: ".")
      let mine = try HDF5.File.create("\(folder)/mine.h5")
      try mine.setAttribute("parameters_sha256", "a checkpoint's")
      try mine.close()
      _ = try Program.succeed(predict + ["--to", "p.h5", "--state-to", "s.h5"], in: folder)
      for (arguments, words) in [
        (["--to", "mine.csv"], "mine.csv: exists; name another file, or add --overwrite"),
        (["--to", "mine.h5"], "mine.h5: exists and was not written by `predict` as predictions"),
        (["--to", "s.h5"], "s.h5: exists and was not written by `predict` as predictions"),
        (["--state-to", "mine.csv"], "mine.csv: exists and was not written by `predict` as a st"),
        (["--state-to", "p.h5"], "p.h5: exists and was not written by `predict` as a state"),
        (["--to", "link.csv", "--overwrite"], "link.csv: is the file of the inputs"),
        (["--state-to", "here/x.csv", "--overwrite"], "is the file of the inputs"),
        (["--to", "new.h5", "--state-to", "here/new.h5"], "is the file of --state-to too"),
        (["--to", "here/s.h5", "--state", "s.h5", "--overwrite"], "is the file of --state too"),
        (["--to", "here", "--overwrite"], "--to is here"),
      ] as [([String], String)] {
        let outcome = try Program.run(predict + arguments, in: folder)
        #expect(outcome.status == 64, "\(arguments): \(outcome.errors)")
        #expect(outcome.message.contains(words), "\(arguments): \(outcome.errors)")
      }
      #expect(try read("mine.csv", in: folder) == "mine")
      #expect(try read("x.csv", in: folder) == table)
      // Files that `predict` wrote, or that may be replaced, are replaced.
      for arguments in [
        ["--to", "p.h5", "--state", "s.h5", "--state-to", "s.h5"],
        ["--to", "mine.csv", "--overwrite"], ["--to", "mine.h5", "--overwrite"],
      ] { _ = try Program.succeed(predict + arguments, in: folder) }
      #expect(try read("mine.csv", in: folder).hasPrefix("sequence,value_0\n0,"))
      let steps = try HDF5.File.open("\(folder)/s.h5").readAll("steps", as: Int.self)
      #expect(steps == [8, 8])
    }
  }

  /// A run that fails before its predictions are complete leaves the state that it began from.
  @Test func theStateWaitsForThePredictions() throws {
    try Places.withTemporaryFolder { folder in
      try train(Self.adding, in: folder)
      try write(table, "x.csv", in: folder)
      let predict =
        ["predict", "run", "x.csv"] + columns + ["--state-to", "s.h5", "--overwrite"]
      _ = try Program.succeed(predict + ["--to", "p.h5"], in: folder)
      let known = FileManager.default.contents(atPath: "\(folder)/s.h5")
      for to in ["p.h5", "p.csv", "p.npz"] {
        let outcome = try Program.run(
          predict + ["--to", to, "--state", "s.h5"], in: folder,
          environment: ["MOMENTUM_DIST_FAILPOINTS": "predict.finish=nospace"])
        #expect(outcome.status == 74, "\(outcome.errors)")
        #expect(outcome.message.contains("\(to): cannot be written"), "\(outcome.errors)")
        #expect(FileManager.default.contents(atPath: "\(folder)/s.h5") == known, "\(to)")
      }
      let left = try FileManager.default.contentsOfDirectory(atPath: folder)
      #expect(!left.contains { $0.contains("partial") || $0 == "p.csv" }, "\(left)")
    }
  }

  /// Sequences that are left out do not shift the numbers of the others.
  @Test func sequencesAreNumberedAsInTheFile() throws {
    try Places.withTemporaryFolder { folder in
      try train(Self.adding, in: folder)
      let script = """
        import numpy
        x = numpy.zeros((4, 4, 2), numpy.float32)
        x[0] = x[2] = numpy.nan
        x[3, 1, 0] = numpy.nan
        numpy.save("x.npy", x)
        """
      guard try Program.python(script, in: folder).status == 0 else { return }
      let predict = ["predict", "run", "x.npy", "--missing", "drop"]
      for name in ["p.csv", "p.jsonl", "p.h5", "p.npz"] {
        _ = try Program.succeed(predict + ["--to", name], in: folder)
      }
      let lines = try read("p.csv", in: folder).split(separator: "\n")
      #expect(lines.dropFirst().map { $0.prefix(2) } == ["1,", "3,"])
      let objects = try read("p.jsonl", in: folder).split(separator: "\n")
      #expect(objects[1].hasPrefix("{\"sequence\":3,"), "\(objects)")
      let file = try HDF5.File.open("\(folder)/p.h5")
      #expect(try file.readAll("sequence", as: Int.self) == [1, 3])
      #expect(try file.readAll("lengths", as: Int.self) == [4, 3])
      let shown = try Program.succeed(predict, in: folder).output
      #expect(shown.split(separator: "\n")[1].hasPrefix("3 "), "\(shown)")
      let check = try Program.python(
        "import numpy; assert list(numpy.load('p.npz')['sequence']) == [1, 3]", in: folder)
      #expect(check.status == 0, "\(check.errors)")
    }
  }

  /// A class may have any name. It controls no terminal, and JSON keeps it.
  @Test func namesOfClassesAreEscaped() throws {
    try Places.withTemporaryFolder { folder in
      let names = ["a\u{1b}[2Jb", "c\u{202e}d"]
      let rows = (0..<40).map { "\($0 % 2),\($0 % 2 + 1),\(names[$0 % 2])" }
      try write(rows.joined(separator: "\n"), "x.csv", in: folder)
      _ = try Program.succeed(["prepare", "csv", "--from", "x.csv", "--to", "x.h5"], in: folder)
      try train(
        [
          "dataset.task=classification", "dataset.file=x.h5", "model.hidden_size=4", "epochs=1",
          "batch_size=8",
        ], in: folder)
      let shown = try Program.succeed(["predict", "run", "x.h5"], in: folder).output
      #expect(!shown.unicodeScalars.contains("\u{1b}") && shown.contains("a\\u{1b}[2Jb"))
      #expect(!shown.unicodeScalars.contains("\u{202e}") && shown.contains("c\\u{202e}d"))
      _ = try Program.succeed(["predict", "run", "x.h5", "--to", "p.csv"], in: folder)
      #expect(try read("p.csv", in: folder).contains("p_a\\u{1b}[2Jb,p_c\\u{202e}d\n"))
      let json = try Program.succeed(["predict", "run", "x.h5", "--json"], in: folder).output
      let first = try #require(json.split(separator: "\n").first)
      #expect(json.allSatisfy { $0.isASCII })
      let object = try JSONSerialization.jsonObject(with: Data(first.utf8)) as? [String: Any]
      #expect(names.contains(try #require(object?["class"] as? String)), "\(first)")
    }
  }

  /// Inputs that overflow end in one line with the sequence, not in a file of NaN.
  @Test func outputsThatAreNoNumbersAreNotWritten() throws {
    try Places.withTemporaryFolder { folder in
      try train(Self.adding + ["model.epsilon=30"], in: folder)
      let rows = (0..<8).map { step -> String in
        let value = step < 4 ? "0.5" : step % 2 == 0 ? "3e38" : "-3e38"
        return "\(["ann", "bob"][step / 4]),\(value),\(value)\n"
      }
      try write("who,a,b\n" + rows.joined(), "x.csv", in: folder)
      for ranks in [nil, 2] as [Int?] {
        let outcome = try Program.run(
          ["predict", "run", "x.csv", "--to", "p.csv"] + columns, ranks: ranks, in: folder)
        #expect(outcome.status == 70, "\(outcome.errors)")
        #expect(
          outcome.message.contains("x.csv: sequence bob: the model's output is nan"),
          "\(outcome.errors)")
        #expect(!FileManager.default.fileExists(atPath: "\(folder)/p.csv"))
      }
    }
  }

  /// A checkpoint of a version that kept no identity says nothing about units.
  @Test func missingStatisticsAreSaid() throws {
    try Places.withTemporaryFolder { folder in
      let rows = (0..<40).map { "\($0 * 3 % 11),\($0 % 7),\($0 % 5)" }
      try write(rows.joined(separator: "\n"), "x.csv", in: folder)
      _ = try Program.succeed(
        ["prepare", "csv", "--task", "regression", "--from", "x.csv", "--to", "x.h5"], in: folder)
      try train(
        [
          "dataset.task=regression", "dataset.file=x.h5", "model.hidden_size=4", "epochs=1",
          "batch_size=8",
        ], in: folder)
      try write("1,2\n3,4\n", "new.csv", in: folder)
      let known = try Program.succeed(["predict", "run", "new.csv"], in: folder)
      #expect(!known.errors.contains("does not say"), "\(known.errors)")
      let path = "\(folder)/run/checkpoints/latest/manifest.json"
      let data = try #require(FileManager.default.contents(atPath: path))
      var manifest = try #require(
        try JSONSerialization.jsonObject(with: data) as? [String: Any])
      for key in ["data", "manifest_sha256"] { manifest[key] = nil }
      manifest["format_version"] = 1
      try JSONSerialization.data(withJSONObject: manifest).write(to: URL(fileURLWithPath: path))
      let outcome = try Program.succeed(
        ["predict", "run", "new.csv", "--checkpoint", "latest"], in: folder)
      #expect(
        outcome.errors.contains("does not say how inputs were normalised, so those of new.csv"))
      #expect(outcome.errors.contains("does not say how targets were normalised, so values have"))
    }
  }
}
