// SPDX-License-Identifier: Apache-2.0

import Files
import Foundation
import TestSupport
import Testing

/// A run has the identity of its data. Other data are refused with the first difference, or matched
/// by the names of their classes and words.
@Suite(.serialized) struct DataIdentityRunTests {
  /// A folder with a run in it.
  struct Case {
    let folder: String

    func write(_ text: String, to name: String) throws {
      let path = "\(folder)/\(name)"
      try DurableFiles.createFolder(DurableFiles.parent(of: path))
      try text.write(toFile: path, atomically: true, encoding: .utf8)
    }

    @discardableResult
    func run(
      _ arguments: String..., ranks: Int? = nil, status: Int32 = 0,
      at location: SourceLocation = #_sourceLocation
    ) throws -> Program.Outcome {
      let words = arguments.flatMap { $0.split(separator: " ").map(String.init) }
      let outcome = try Program.run(words, ranks: ranks, in: folder)
      #expect(outcome.status == status, "\(outcome.errors)", sourceLocation: location)
      if status != 0 {
        #expect(outcome.ownErrors.count == 1, "\(outcome.errors)", sourceLocation: location)
      }
      return outcome
    }

    /// A table of labelled sequences of 5 steps, with classes that are far apart.
    func table(_ classes: String, seed: Int, rows: Range<Int> = 0..<60) -> [(String, Character)] {
      let names = Array(classes)
      var state = UInt64(seed)
      return (0..<rows.upperBound).map { row in
        let name = names[row % names.count]
        let mean = Double(name.asciiValue! - UInt8(ascii: "a")) * 2
        let values = (0..<5).map { _ in
          state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
          return String(format: "%.3f", mean + Double(state >> 40) / Double(1 << 24) - 0.5)
        }
        return (values.joined(separator: ","), name)
      }[rows].map { $0 }
    }

    /// Prepares a training and a test table as one data set.
    func csv(_ train: String, _ test: String, to name: String, _ more: String = "--raw") throws {
      try write(train, to: "train.csv")
      try write(test, to: "test.csv")
      try run("prepare csv --from train.csv test.csv --to \(name) \(more)")
    }

    func lines(_ classes: String, seed: Int, rows: Range<Int> = 0..<60) -> String {
      table(classes, seed: seed, rows: rows).map { "\($0),\($1)\n" }.joined()
    }

    /// Prepares an archive whose classes have this order.
    func archive(_ order: String, _ rows: String, to name: String) throws {
      let data = table(rows, seed: 2).map { "\($0):\($1)\n" }.joined()
      let names = order.map(String.init).joined(separator: " ")
      for part in ["TRAIN", "TEST"] {
        try write("@classLabel true \(names)\n@data\n\(data)", to: "x_\(part).ts")
      }
      try run("prepare ts --raw --from x_TRAIN.ts x_TEST.ts --to \(name)")
    }

    /// The results of `evaluate`.
    func figures(
      _ outcome: Program.Outcome
    ) throws -> (loss: Double, accuracy: Double?, count: Int) {
      let object = try #require(
        try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any],
        "\(outcome.errors)")
      return (
        try #require(object["loss"] as? Double), object["accuracy"] as? Double,
        try #require(object["sequences"] as? Int)
      )
    }

    func bytes(_ name: String) -> Data? {
      FileManager.default.contents(atPath: "\(folder)/\(name)")
    }

    /// The manifest of the newest checkpoint.
    func manifest(_ run: String) throws -> [String: Any] {
      let data = try #require(bytes("\(run)/checkpoints/latest/manifest.json"))
      return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    }

    /// Makes the newest checkpoint one of a version that kept no identity.
    func forgetIdentity(of run: String) throws {
      var manifest = try manifest(run)
      for key in ["data", "manifest_sha256"] { manifest[key] = nil }
      manifest["format_version"] = 1
      let data = try JSONSerialization.data(withJSONObject: manifest)
      try data.write(
        to: URL(fileURLWithPath: "\(folder)/\(run)/checkpoints/latest/manifest.json"))
    }
  }

  static func withCase(_ body: (Case) throws -> Void) throws {
    try Places.withTemporaryFolder { try body(Case(folder: $0)) }
  }

  static let small =
    "--set model.hidden_size=8 --set batch_size=8 --set shards=2 --set log.every_steps=1000"
  static let classification =
    "train --set dataset.task=classification \(small) --set optimizer.learning_rate=0.02"
    + " --set dataset.validation_count=12"
  static let language =
    "train \(small) --set dataset.task=language_model --set dataset.file=en.h5"
    + " --set model.cell=lstm --set language_model.embedding_size=8 --set language_model.chunk_length=10"
    + " --set epochs=2 --set optimizer.learning_rate=0.02 --set language_model.weight_dropout=0"

  static func text(_ item: Case, _ name: String, _ line: String, first: String = "") throws {
    for (part, count) in [("train", 60), ("valid", 20), ("test", 20)] {
      let lines = String(repeating: line + "\n", count: count)
      try item.write((part == "train" ? first : "") + lines, to: "\(name)/\(part).txt")
    }
    try item.run("prepare text --from \(name) --to \(name).h5")
  }

  @Test func aVocabularyOfTheSameSizeIsNotTheSame() throws {
    try Self.withCase { item in
      let english = "the cat sat on a mat while some dog ran over hills"
      try Self.text(item, "en", english)
      try Self.text(item, "es", "uno dos tres cuatro cinco seis siete ocho nueve diez once doce")
      let reversed = english.split(separator: " ").reversed().joined(separator: " ")
      try Self.text(item, "en2", english, first: reversed + "\n")
      try item.run(Self.language, "--output run", ranks: 2)
      let own = try item.figures(item.run("evaluate run --json"))
      // The same test text, with its words numbered otherwise.
      let mapped = try item.run("evaluate run --json --set dataset.file=en2.h5")
      #expect(try item.figures(mapped).loss == own.loss)
      #expect(
        mapped.errors.contains("word 0 of the vocabulary is \"hills\", which is 11 in the run"))
      let foreign = try item.run(
        "evaluate run --set dataset.file=es.h5", ranks: 2, status: 65)
      #expect(
        foreign.message.contains(
          "es.h5: word 0 of its vocabulary is \"uno\", which the run did not learn"),
        "\(foreign.errors)")
      // Prepared again from another text, under the same name.
      let vocabulary = try #require(item.bytes("run/vocabulary.h5"))
      let spoken = try item.run("generate run --length 4 --temperature 0 --prompt the").output
      try FileManager.default.removeItem(atPath: "\(item.folder)/en.h5")
      try FileManager.default.copyItem(
        atPath: "\(item.folder)/es.h5", toPath: "\(item.folder)/en.h5")
      for flag in ["", "--new-data"] {
        let resumed = try item.run("train --resume run \(flag)", status: 65)
        #expect(resumed.message.contains("en.h5: word 0 of its vocabulary is \"uno\""))
      }
      #expect(item.bytes("run/vocabulary.h5") == vocabulary)
      #expect(
        try item.run("generate run --length 4 --temperature 0 --prompt the").output == spoken)
      // A vocabulary other than the run's is refused.
      try FileManager.default.removeItem(atPath: "\(item.folder)/run/vocabulary.h5")
      let other = try item.run("generate run --length 4 --prompt uno", status: 65)
      #expect(other.message.contains("en.h5: its vocabulary ("), "\(other.errors)")
      let lost = try item.run("evaluate run", status: 65)
      #expect(lost.message.contains("whose vocabulary.h5 is missing"), "\(lost.errors)")
    }
  }

  @Test func otherClassesAreRefusedAndOtherNumbersOfThemMapped() throws {
    try Self.withCase { item in
      try item.archive("abc", "abc", to: "abc.h5")
      try item.run(
        Self.classification, "--set dataset.file=abc.h5 --set epochs=40 --output run")
      let own = try item.figures(item.run("evaluate run --json"))
      #expect(own.accuracy == 1 && own.count == 60)
      // The same sequences under the same names, which have other numbers.
      try item.archive("cab", "abc", to: "cab.h5")
      let mapped = try item.run("evaluate run --json --set dataset.file=cab.h5", ranks: 2)
      #expect(try item.figures(mapped) == own, "\(mapped.errors)")
      #expect(mapped.errors.contains("note: cab.h5: class 0 is \"c\", which is 2 in the run"))
      // Some of the classes.
      try item.archive("bc", "cb", to: "bc.h5")
      let some = try item.figures(item.run("evaluate run --json --set dataset.file=bc.h5"))
      #expect(some.accuracy == 1)
      try item.archive("bcd", "bcd", to: "bcd.h5")
      let other = try item.run("evaluate run --set dataset.file=bcd.h5", ranks: 2, status: 65)
      #expect(
        other.message.contains("bcd.h5: class 2 is \"d\", which the run did not learn"),
        "\(other.errors)")
      // The same sequences, normalised.
      let rows = item.lines("abc", seed: 2)
      try item.csv(rows, rows, to: "normalised.h5", "")
      let normalised = try item.run("evaluate run --file normalised.h5", status: 65)
      #expect(normalised.message.contains("the inputs are normalised"), "\(normalised.errors)")
      // Sequences that the model does not fit.
      try item.csv(rows, rows, to: "wide.h5", "--raw --features 5")
      let wide = try item.run("evaluate run --file wide.h5", status: 65)
      #expect(wide.message.contains("wide.h5: has 5 features per step, but the run learned"))
    }
  }

  @Test func dataThatChangedAreNotGoneOnWithUnlessTheUserKnows() throws {
    try Self.withCase { item in
      let (rows, test) = (item.lines("abc", seed: 1), item.lines("abc", seed: 2))
      try item.csv(rows, test, to: "data.h5")
      let train = Self.classification + " --set epochs=4 --max-steps 15"
      try item.run(train, "--set dataset.file=data.h5 --output run", ranks: 2)
      let saved = try item.manifest("run")["manifest_sha256"] as? String
      func refusal(_ message: String, at location: SourceLocation = #_sourceLocation) throws {
        let outcome = try item.run(
          "train --resume run --max-steps 20", ranks: 2, status: 65, at: location)
        #expect(outcome.message.contains(message), "\(outcome.errors)", sourceLocation: location)
        #expect(outcome.message.contains("add --new-data"), sourceLocation: location)
        #expect(try item.manifest("run")["manifest_sha256"] as? String == saved)
      }
      try item.csv(item.lines("abc", seed: 1, rows: 0..<30), test, to: "data.h5")
      try refusal("data.h5: the train part has 30 sequences, but the run learned from 60")
      try item.csv(rows.replacing("1.", with: "1.9", maxReplacements: 1), test, to: "data.h5")
      try refusal("data.h5: the inputs of the train part are not those")
      try item.csv(rows.replacing(",a\n", with: ",b\n", maxReplacements: 1), test, to: "data.h5")
      try refusal("data.h5: the targets of the train part are not those")
      try item.csv(item.lines("bcd", seed: 3), item.lines("bcd", seed: 3), to: "data.h5")
      try refusal("data.h5: class 2 is \"d\", which the run did not learn")
      // With --new-data: results on other data are reset.
      let new = try item.run("train --resume run --new-data --max-steps 20", ranks: 2)
      #expect(new.errors.contains("the classes are \"b\", \"c\", \"d\", but the run learned"))
      #expect(new.errors.contains("the best loss so far"), "\(new.errors)")
      let again = try item.run("train --resume run --max-steps 21")
      #expect(!again.errors.contains("note: data.h5"), "the new data are the run's now")
      let alone = try Program.run(["train", "--new-data"], in: item.folder)
      #expect(alone.status == 64 && alone.errors.contains("add --resume"), "\(alone.errors)")
    }
  }

  /// The same data elsewhere, in other files or compressed are the same data.
  @Test func theSameDataInAnotherPlaceAreGoneOnWith() throws {
    try Self.withCase { item in
      let (rows, test) = (item.lines("abc", seed: 1), item.lines("abc", seed: 2))
      try item.csv(rows, test, to: "parts/1.h5")
      let train = Self.classification + " --set epochs=4"
      let place = ["--set", "dataset.file=parts/*.h5"]
      func start(_ arguments: [String]) throws -> Program.Outcome {
        try Program.run(
          train.split(separator: " ").map(String.init) + arguments, in: item.folder)
      }
      #expect(try start(place + ["--output", "whole"]).status == 0)
      #expect(try start(place + ["--output", "run", "--max-steps", "10"]).status == 0)
      try item.csv(rows, test, to: "joined.h5", "--raw --compress")
      let moved = try item.run("train --resume run --set dataset.file=joined.h5 --max-steps 12")
      #expect(!moved.errors.contains("note:"), "\(moved.errors)")
      try FileManager.default.copyItem(
        atPath: "\(item.folder)/parts/1.h5", toPath: "\(item.folder)/parts/2.h5")
      let joined = try Program.run(
        ["train", "--resume", "run", "--set", "dataset.file=parts/*.h5"], in: item.folder)
      #expect(joined.status == 65)
      #expect(
        joined.message.contains("the train part has 120 sequences, but the run learned from 60"),
        "\(joined.errors)")
      #expect(try item.run("train --resume run").status == 0)
      #expect(
        try RankCountTests.digest("run", in: item.folder)
          == RankCountTests.digest("whole", in: item.folder))
    }
  }

  /// An older checkpoint has no identity of its data, and is used as before.
  @Test func aCheckpointWithoutAnIdentityIsNotCompared() throws {
    try Self.withCase { item in
      try item.csv(item.lines("abc", seed: 1), item.lines("abc", seed: 2), to: "data.h5")
      try item.csv(item.lines("bcd", seed: 3), item.lines("bcd", seed: 3), to: "other.h5")
      try item.run(
        Self.classification, "--set dataset.file=data.h5 --set epochs=1 --output run")
      let known = try #require(try item.manifest("run")["data"] as? [String: Any])
      #expect(known["held_out"] as? Int == 12)
      #expect(item.bytes("run/data.json") != nil)
      try item.run("evaluate run --set dataset.file=other.h5", status: 65)
      try item.forgetIdentity(of: "run")
      try item.run("evaluate run --set dataset.file=other.h5")
      let resumed = try item.run("train --resume run --set epochs=2 --set dataset.file=other.h5")
      #expect(!resumed.errors.contains("forgotten"), "\(resumed.errors)")
      #expect(try item.manifest("run")["data"] != nil, "from here on it is known")
      // The vocabulary in the run proves nothing: an earlier version may have overwritten it.
      try Self.text(item, "en", "the cat sat on a mat while some dog ran over hills")
      try Self.text(item, "es", "uno dos tres cuatro cinco seis siete ocho nueve diez once doce")
      try item.run(Self.language, "--output words")
      try item.forgetIdentity(of: "words")
      let other = try item.run("evaluate words --checkpoint latest --file es.h5")
      #expect(
        other.errors.contains("note: es.h5: the vocabulary differs from the run's vocabulary.h5"),
        "\(other.errors)")
      #expect(!(try item.run("evaluate words --file en.h5")).errors.contains("note:"))
      // Of the very first format.
      let old = "\(Places.fixtures)/checkpoint-v1"
      #expect(try item.run("evaluate \(old) --json").output.contains("\"loss\""))
      let gone = try item.run("train --resume \(old) --output old --max-steps 5")
      #expect(gone.errors.contains("step 3, epoch 1"), "\(gone.errors)")
    }
  }
}
