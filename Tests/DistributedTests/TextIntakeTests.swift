// SPDX-License-Identifier: Apache-2.0

import Foundation
import HDF5
import TestSupport
import Testing

/// The whole program reads texts and tables exactly.
@Suite(.serialized) struct TextIntakeTests {
  private func write(_ files: [String: String], to folder: String) throws {
    for (name, text) in files {
      let url = URL(fileURLWithPath: "\(folder)/\(name)")
      try FileManager.default.createDirectory(
        at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: url)
    }
  }

  private func classNames(_ path: String) throws -> String? {
    try File.open(path).stringAttribute("class_names")
  }

  /// A table with tabs whose class is missing is refused, like one with commas.
  @Test(arguments: ["\t", ","]) func aTableWithoutALabelIsRefused(separator: String) throws {
    try Places.withTemporaryFolder { folder in
      var rows = (0..<40).map { ["\($0 % 3)", "\($0 % 5)", "1", "\($0 % 2)"] }
      rows[7][3] = ""
      let last = rows.map { $0.joined(separator: separator) }.joined(separator: "\n")
      rows[7] = ["", "0", "1", "1"]
      let first = rows.map { $0.joined(separator: separator) }.joined(separator: "\n")
      let cut = ["c0,1,2,3", "c1,1,,", "c0,1,2,3", "c1,3,2,1"].joined(separator: "\n")
        .replacing(",", with: separator)
      try write(["last.txt": last, "first.txt": first, "cut.txt": cut], to: folder)
      let cases = [
        (["last.txt"], "last.txt:8: has no class; fill in the class"),
        (["first.txt", "--label-first"], "first.txt:8: has no class; fill in the class"),
        (["cut.txt", "--label-first"], "cut.txt:2: has a missing value (\"\"); fill it in"),
      ]
      for (arguments, message) in cases {
        let outcome = try Program.run(
          ["prepare", "csv", "--to", "out.h5", "--from"] + arguments, in: folder)
        #expect(outcome.status == 65 && outcome.ownErrors.count == 1, "\(outcome.errors)")
        #expect(outcome.message.contains(message), "\(outcome.errors)")
        #expect(!FileManager.default.fileExists(atPath: "\(folder)/out.h5"))
      }
    }
  }

  /// A byte order mark is part of no class, no word, no character and no key.
  @Test func aByteOrderMarkIsNoText() throws {
    try Places.withTemporaryFolder { folder in
      let mark = "\u{feff}"
      let rows = (0..<30).map { "\("abc".dropFirst($0 % 3).prefix(1)),\($0 % 7),1.5\n" }.joined()
      let text = mark + String(repeating: "the cat sat\n", count: 4)
      let archive = mark + "@problemName X\n@classLabel true a b\n@data\n1,2,3:a\n3,2,1:b\n"
      try write(
        [
          "a.csv": mark + rows, "b.csv": rows, "t/train.txt": text, "t/valid.txt": text,
          "t/test.txt": text, "s/X_TRAIN.ts": archive, "s/X_TEST.ts": archive,
          "run.yaml": mark + "epochs: 3\n",
        ], to: folder)
      func prepare(_ arguments: [String]) throws {
        let outcome = try Program.run(["prepare"] + arguments, in: folder)
        #expect(outcome.status == 0, "\(outcome.errors)")
      }
      try prepare(["csv", "--label-first", "--from", "a.csv", "b.csv", "--to", "c.h5"])
      #expect(try classNames("\(folder)/c.h5") == "a\nb\nc")
      try prepare(["ts", "--from", "s", "--to", "s.h5"])
      #expect(try classNames("\(folder)/s.h5") == "a\nb")
      for (level, tokens) in [("word", "thecatsat<eos>"), ("character", "the cas\n")] {
        try prepare(["text", "--level", level, "--from", "t", "--to", "w.h5"])
        let bytes = try File.open("\(folder)/w.h5").dataset("vocabulary/text").read(as: UInt8.self)
        #expect(String(decoding: bytes, as: UTF8.self) == tokens)
      }
      let outcome = try Program.run(["train", "--config", "run.yaml", "--dry-run"], in: folder)
      #expect(outcome.status == 0, "\(outcome.errors)")
    }
  }

  /// `prepare` reports how it read a table, and what is in the file.
  @Test func prepareSaysWhatItUnderstood() throws {
    try Places.withTemporaryFolder { folder in
      let rows = (0..<40).map {
        "\($0);\($0 % 7),5;\($0 % 3);\($0 == 3 || $0 == 9 ? "rare" : "usual")"
      }
      try write(["a.csv": ";x;y;kind\n" + rows.joined(separator: "\n")], to: folder)
      let outcome = try Program.run(
        ["prepare", "csv", "--from", "a.csv", "--to", "a.h5"], in: folder)
      #expect(outcome.status == 0, "\(outcome.errors)")
      for line in [
        "a.csv: separator \";\", header \"\", \"x\", \"y\", \"kind\", the first column is an index and"
          + " left out, decimal commas, 40 sequences",
        "training and test sequences by class: rare 1+1, usual 30+8",
      ] {
        #expect(outcome.output.split(separator: "\n").contains { $0 == line }, "\(outcome.output)")
      }
      let long = (0..<60).map { "\($0 % 6),\($0 / 6),\($0),\($0 % 2)" }
      try write(["l.csv": "who,when,x,kind\n" + long.joined(separator: "\n")], to: folder)
      let other = try Program.run(
        [
          "prepare", "csv", "--from", "l.csv", "--to", "l.h5", "--id", "who", "--time", "when",
          "--target", "kind", "--values", "x",
        ], in: folder)
      #expect(other.status == 0 && other.output.contains("sequences of 10 steps, C=1, 2 classes"))
      let wrong = try Program.run(
        ["prepare", "csv", "--from", "l.csv", "--to", "l.h5", "--id", "who"], in: folder)
      #expect(wrong.status == 64 && wrong.message.contains("--id needs --target"))
    }
  }
}
