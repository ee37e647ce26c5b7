// SPDX-License-Identifier: Apache-2.0

import Foundation
import HDF5
import TestSupport
import Testing

/// The sequences and parts of a file that are used to measure and to validate.
extension DataIdentityRunTests {
  /// Sequences of two classes in groups of the user's own.
  static func own(_ parts: [(String, Int)], classes: Int = 3, to path: String) throws {
    let file = try HDF5.File.create(path)
    for (part, count) in parts {
      let labels = (0..<count).map { $0 % classes }
      let prefix = part.isEmpty ? "" : "\(part)/"
      var values: [Float] = []
      for place in 0..<count * 5 {
        values.append(Float(labels[place / 5] * 2) + Float(place % 7) / 7)
      }
      try file.write(values, to: "\(prefix)x", shape: [count, 5, 1])
      try file.write(labels.map { Int64($0) }, to: "\(prefix)y")
    }
    try file.close()
  }

  static let names = "--set dataset.inputs={part}/x --set dataset.targets={part}/y"

  @Test func allSequencesOfAFileAreMeasured() throws {
    try Self.withCase { item in
      try Self.own([("train", 120), ("valid", 30), ("test", 45)], to: "\(item.folder)/data.h5")
      try item.run(
        Self.classification, Self.names, "--set dataset.file=data.h5 --set epochs=2 --output run")
      let whole = try item.figures(item.run("evaluate run --json"))
      #expect(whole.count == 45)
      // Two of the three classes. The run knows their number.
      for (part, count) in [("test", 31), ("train", 32), ("eval", 33)] {
        try Self.own([(part, count)], classes: 2, to: "\(item.folder)/\(part).h5")
        let found = try item.run("evaluate run --json --file \(part).h5", ranks: 2)
        #expect(try item.figures(found).count == count, "\(part)")
      }
      // Of several parts the test part, or the requested one; of train, all sequences.
      #expect(try item.figures(item.run("evaluate run --json --file data.h5")) == whole)
      let train = try item.run("evaluate run --json --file data.h5 --split train")
      #expect(try item.figures(train).count == 120)
      #expect(try item.figures(item.run("evaluate run --json --split train")).count == 108)
      let missing = try item.run("evaluate run --file eval.h5 --split test", status: 65)
      #expect(missing.message.contains("eval.h5: has no test part; leave out --split"))
      // Datasets at the top of the file.
      try Self.own([("", 17)], to: "\(item.folder)/flat.h5")
      let flat = try item.run(
        "evaluate run --json --file flat.h5 --set dataset.inputs=x --set dataset.targets=y")
      #expect(try item.figures(flat).count == 17)
      try Self.own([("test", 20)], classes: 4, to: "\(item.folder)/more.h5")
      let more = try item.run("evaluate run --file more.h5", status: 65)
      #expect(more.message.contains("y[3] is 3, outside 0..<3"), "\(more.errors)")
      #expect(item.bytes("run/evaluation-test.json") != nil)
    }
  }

  /// A part of text alone, and one of generated sequences in a file.
  @Test func filesOfOtherTasksAreMeasuredToo() throws {
    try Self.withCase { item in
      try Self.text(item, "en", "the cat sat on a mat while some dog ran over hills")
      try item.run(Self.language, "--output run")
      let own = try item.figures(item.run("evaluate run --json"))
      #expect(try item.figures(item.run("evaluate run --json --file en.h5")).loss == own.loss)
      let adding = "\(Self.small) --set dataset.steps=7 --set dataset.train_count=40"
      try item.run("train \(adding) --set epochs=1 --output sums")
      try item.run("prepare adding --steps 7 --train 30 --validation 20 --test 25 --to sums.h5")
      let sums = try item.figures(item.run("evaluate sums --json --file sums.h5"))
      #expect(sums.count == 25)
      let all = try item.figures(
        item.run("evaluate sums --json --set dataset.test_count=25"))
      #expect(all.loss == sums.loss, "the file holds what is generated")
    }
  }

  @Test func validationIsTheFilesOwnPartOrAShare() throws {
    try Self.withCase { item in
      let train =
        "train --set dataset.task=classification \(Self.small) --set epochs=1 \(Self.names)"
      try Self.own([("train", 120), ("test", 45)], to: "\(item.folder)/two.h5")
      let share = try item.run(train, "--set dataset.file=two.h5 --output share")
      #expect(share.errors.contains("108 sequences, 12 held out for validation"), "\(share.errors)")
      let configuration = try #require(item.bytes("share/config.yaml"))
      #expect(String(decoding: configuration, as: UTF8.self).contains("validation_count: 12\n"))
      // The explicit value equals the resolved default.
      try item.run(
        train, "--set dataset.file=two.h5 --set dataset.validation_count=12 --output given")
      #expect(
        try RankCountTests.digest("share", in: item.folder)
          == RankCountTests.digest("given", in: item.folder))
      for name in ["validation", "dev"] {
        try Self.own(
          [("train", 120), (name, 33), ("test", 45)], to: "\(item.folder)/\(name).h5")
        let found = try item.run(
          train, "--set dataset.file=\(name).h5 --max-steps 3 --output \(name)", ranks: 2)
        #expect(found.errors.contains("120 sequences, validation on the file's own part"))
        let measured = try item.run("evaluate \(name) --json --split validation")
        #expect(try item.figures(measured).count == 33)
        #expect(try item.run("train --resume \(name)").status == 0)
        let data = try #require(try item.manifest(name)["data"] as? [String: Any])
        #expect((data["parts"] as? [String: Any])?.keys.sorted() == ["train", "validation"])
      }
      // By hand they are held out, though the file has a part: the run says so.
      let held = try item.run(
        train, "--set dataset.file=dev.h5 --set dataset.validation_count=20 --output held")
      #expect(held.errors.contains("100 sequences, 20 held out for validation (dataset.validation"))
      let none = try item.run(
        train, "--set dataset.file=two.h5 --set dataset.validation_count=file", status: 78)
      #expect(none.message.contains("two.h5 has no validation part"), "\(none.errors)")
    }
  }

  /// Losses of another validation part cannot be compared with earlier ones.
  @Test func lossesOfAnotherHeldOutPartAreForgotten() throws {
    try Self.withCase { item in
      try item.csv(item.lines("abc", seed: 1), item.lines("abc", seed: 2), to: "data.h5")
      try item.run(
        Self.classification, "--set dataset.file=data.h5 --set epochs=2 --output run")
      let other = try item.run(
        "train --resume run --set dataset.validation_count=10 --set epochs=3")
      #expect(other.errors.contains("the validation data changed"))
      let progress = try #require(try item.manifest("run")["progress"] as? [String: Double])
      #expect(progress["validation_loss_1"] != nil && progress["validation_loss_2"] == nil)
      let same = try item.run("train --resume run --set epochs=4")
      #expect(!same.errors.contains("forgotten"), "\(same.errors)")
    }
  }

  /// Two hosts with different files under one name refuse to train.
  @Test func ranksWithOtherDataAreRefused() throws {
    try Self.withCase { item in
      let rows = item.lines("abc", seed: 1)
      try item.csv(rows, rows, to: "a/data.h5")
      try item.csv(rows.replacing(",a\n", with: ",b\n", maxReplacements: 1), rows, to: "b/data.h5")
      func refuse(_ command: String, _ part: String) throws {
        let outcome = try Program.run(
          command.split(separator: " ").map(String.init), ranks: 1,
          and: ["-np", "1", "-wdir", "\(item.folder)/b"], in: "\(item.folder)/a", deadline: 30)
        #expect(outcome.status == 65, "\(outcome.errors)")
        #expect(
          outcome.message.contains("1 has different data from rank 0: the \(part) part differs"),
          "\(outcome.errors)")
      }
      let train =
        "\(Self.classification) --set epochs=1 --set dataset.file=data.h5"
        + " --output \(item.folder)/run"
      try refuse(train, "train")
      // The part that is measured may be the only one that differs.
      try item.csv(rows, item.lines("abc", seed: 2), to: "b/data.h5")
      #expect(
        try Program.run(
          train.split(separator: " ").map(String.init), in: "\(item.folder)/a"
        ).status == 0)
      try refuse("evaluate \(item.folder)/run", "test")
    }
  }

  /// If the newest checkpoint is damaged, the one before it may have learned from other data.
  @Test func anOlderCheckpointOfOtherDataIsRefused() throws {
    try Self.withCase { item in
      let (rows, test) = (item.lines("abc", seed: 1), item.lines("abc", seed: 2))
      try item.csv(rows, test, to: "data.h5")
      try item.run(
        Self.classification + " --set epochs=4 --max-steps 15",
        "--set dataset.file=data.h5 --output run")
      try item.csv(rows.replacing("1.", with: "1.9", maxReplacements: 1), test, to: "data.h5")
      try item.run("train --resume run --new-data --max-steps 17")
      let shard = "\(item.folder)/run/checkpoints/step-00000017/shard-00000-of-00001.h5"
      var bytes = try Data(contentsOf: URL(fileURLWithPath: shard))
      bytes[bytes.count / 2] ^= 1
      try bytes.write(to: URL(fileURLWithPath: shard))
      let outcome = try Program.run(
        ["train", "--resume", "run", "--max-steps", "25"], in: item.folder)
      #expect(outcome.status == 65, "\(outcome.errors)")
      #expect(
        outcome.message.contains("the inputs of the train part are not those"),
        "\(outcome.errors)")
      try item.run("train --resume run --new-data --max-steps 25")
    }
  }
}
