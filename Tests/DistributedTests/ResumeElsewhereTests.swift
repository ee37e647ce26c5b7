// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// The state that a resumed run keeps: its best checkpoint, its seconds, its streams.
@Suite(.serialized) struct ResumeElsewhereTests {
  private static func evaluate(_ run: String, in folder: String) throws -> (step: Int, loss: Double)
  {
    let outcome = try Program.run(["evaluate", run, "--json"], in: folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let object = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8))
    let record = try #require(object as? [String: Any])
    #expect(record["checkpoint"] as? String == "best")
    return (try #require(record["step"] as? Int), try #require(record["loss"] as? Double))
  }

  private static func checkpoints(_ run: String, in folder: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: "\(folder)/\(run)/checkpoints").sorted()
  }

  /// The first epochs learn; then the rate is so large that no later one is better.
  private static let worse = ["--set", "optimizer.learning_rate=1000"]

  /// - Parameter top: where the other run goes; /dev/shm may be another file system
  @Test(arguments: ["", "/dev/shm/"]) func theBestCheckpointIsTakenAlong(top: String) throws {
    try Places.withTemporaryFolder { folder in
      let one = try RankCountTests.train("one", ranks: 2, in: folder, ["--set", "epochs=3"])
      #expect(one.status == 0, "\(one.errors)")
      let worse = try RankCountTests.train(
        "one", ranks: 2, in: folder, ["--resume", "--set", "epochs=5"] + Self.worse)
      #expect(worse.status == 0, "\(worse.errors)")
      let best = try Self.evaluate("one", in: folder)
      #expect(best.step < 55, "the last step is not the best one")
      let other = top.isEmpty ? "other" : "\(top)momentum-dist-\(UUID().uuidString)"
      defer { try? FileManager.default.removeItem(atPath: top.isEmpty ? "\(folder)/other" : other) }
      let resumed = try RankCountTests.train(
        other, ranks: 3, in: folder, ["--resume", "one", "--set", "epochs=7"] + Self.worse)
      #expect(resumed.status == 0, "\(resumed.errors)")
      #expect(try Self.evaluate(other, in: folder) == best)
      #expect(try Program.run(["inspect", other, "--verify"], in: folder).status == 0)
      // The first run may be deleted, because none of its files is needed.
      try FileManager.default.removeItem(atPath: "\(folder)/one")
      #expect(try Self.evaluate(other, in: folder) == best)
    }
  }

  /// A checkpoint that is named from within its folder belongs to the same run.
  @Test func theRunOfACheckpointIsFoundFromWithin() throws {
    try Places.withTemporaryFolder { folder in
      #expect(
        try RankCountTests.train("one", ranks: 2, in: folder, ["--set", "epochs=3"]).status == 0)
      #expect(
        try RankCountTests.train(
          "one", ranks: 2, in: folder, ["--resume", "--set", "epochs=5"] + Self.worse
        ).status == 0)
      let best = try Self.evaluate("one", in: folder)
      let newest = try #require(
        try Self.checkpoints("one", in: folder).last { $0.hasPrefix("step-") })
      let outcome = try Program.run(
        ["train", "--resume", newest, "--output", "\(folder)/other", "--set", "epochs=6"]
          + Self.worse, in: "\(folder)/one/checkpoints")
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(try Self.evaluate("other", in: folder) == best)
    }
  }

  /// A damaged or missing best checkpoint ends no run, and is reported.
  @Test(arguments: [true, false]) func aBestCheckpointThatCannotBeTakenIsNoted(
    isThere: Bool
  ) throws {
    try Places.withTemporaryFolder { folder in
      #expect(
        try RankCountTests.train("one", ranks: 2, in: folder, ["--set", "epochs=3"]).status == 0)
      #expect(
        try RankCountTests.train(
          "one", ranks: 2, in: folder, ["--resume", "--set", "epochs=5"] + Self.worse
        ).status == 0)
      let best = try Self.evaluate("one", in: folder)
      let path = "\(folder)/one/checkpoints/step-000000\(best.step)"
      if isThere {
        let shard = "\(path)/shard-00001-of-00002.h5"
        var bytes = try Data(contentsOf: URL(fileURLWithPath: shard))
        bytes[bytes.count / 2] ^= 1
        try bytes.write(to: URL(fileURLWithPath: shard))
      } else {
        try FileManager.default.removeItem(atPath: path)
      }
      let other = try RankCountTests.train(
        "other", ranks: 2, in: folder, ["--resume", "one", "--set", "epochs=6"] + Self.worse)
      #expect(other.status == 0, "\(other.errors)")
      let note = isThere ? "does not match its checksum" : "the best checkpoint so far, of step"
      #expect(other.errors.contains(note), "\(other.errors)")
      let names = try Self.checkpoints("other", in: folder)
      #expect(!names.contains { $0.contains("step-000000\(best.step)") }, "\(names)")
    }
  }

  @Test func secondsGoOn() throws {
    try Places.withTemporaryFolder { folder in
      let slow = ["MOMENTUM_DIST_FAILPOINTS": "train.step=delay:2#1"]
      let train = ["train", "--output", "run"] + RankCountTests.arguments
      #expect(
        try Program.run(train + ["--max-steps", "10"], in: folder, environment: slow).status == 0)
      #expect(
        try Program.run(train + ["--max-steps", "24", "--resume"], ranks: 2, in: folder).status
          == 0)
      let seconds = try String(contentsOfFile: "\(folder)/run/metrics.jsonl", encoding: .utf8)
        .split(separator: "\n").map { line in
          let object = try JSONSerialization.jsonObject(with: Data(line.utf8))
          return try #require((object as? [String: Any])?["seconds"] as? Double)
        }
      #expect(seconds.count == 6 + 2 + 2, "of intervals, ends of epochs and validations")
      #expect(seconds.allSatisfy { $0 >= 2 } && seconds == seconds.sorted(), "\(seconds)")
    }
  }

  /// Sequences and seconds are of the same steps, also where an epoch ends within an interval, and
  /// after a resume within one.
  @Test func speedCountsTheTimeOfItsSteps() throws {
    try Places.withTemporaryFolder { folder in
      // Epochs of 11 steps, so that the intervals are 4, 4, 3, 1, 4, 4, 2 and 2 steps. The first step
      // of the third and of the seventh takes a second.
      let train = ["train", "--output", "run"] + RankCountTests.arguments
      for (steps, slow) in [("18", 9), ("24", 3)] {
        let outcome = try Program.run(
          train + ["--max-steps", steps] + (slow == 9 ? [] : ["--resume"]), in: folder,
          environment: ["MOMENTUM_DIST_FAILPOINTS": "train.step=delay:1#\(slow)"])
        #expect(outcome.status == 0, "\(outcome.errors)")
      }
      let speeds = try String(contentsOfFile: "\(folder)/run/metrics.jsonl", encoding: .utf8)
        .split(separator: "\n").compactMap { line -> (Int, Double)? in
          let object = try JSONSerialization.jsonObject(with: Data(line.utf8))
          let record = try #require(object as? [String: Any])
          guard record["split"] as? String == "train" else { return nil }
          return (
            try #require(record["step"] as? Int),
            try #require(record["sequences_per_second"] as? Double)
          )
        }
      #expect(speeds.map(\.0) == [4, 8, 11, 12, 16, 20, 22, 24])
      for (step, speed) in speeds where [11, 22].contains(step) {
        #expect(speed <= 3 * 21, "step \(step): \(speed) sequences a second")
      }
    }
  }

  // MARK: A language model

  private static func languageModel(in folder: String) throws -> [String] {
    let text = (0..<300).map { _ in "the cat sat on a mat while some dog ran over hills\n" }
      .joined()
    try text.write(toFile: "\(folder)/t.txt", atomically: true, encoding: .utf8)
    let prepared = try Program.run(
      ["prepare", "text", "--from", "t.txt", "--to", "t.h5"], in: folder)
    #expect(prepared.status == 0, "\(prepared.errors)")
    return [
      "train", "--set", "dataset.task=language_model", "--set", "dataset.file=t.h5",
      "--set", "model.hidden_size=8", "--set", "language_model.embedding_size=8",
      "--set", "language_model.chunk_length=20", "--set", "shards=2", "--set", "epochs=2",
    ]
  }

  @Test func aLanguageModelTakesAnotherBatchSizeAtAnEpochsStart() throws {
    try Places.withTemporaryFolder { folder in
      let train = try Self.languageModel(in: folder) + ["--set", "batch_size=8"]
      #expect(try Program.run(train + ["--output", "run"], ranks: 2, in: folder).status == 0)
      let other = try Program.run(
        ["train", "--resume", "run", "--set", "batch_size=4", "--set", "epochs=3"], ranks: 2,
        in: folder)
      #expect(other.status == 0, "\(other.errors)")
      #expect(other.errors.contains("note: batch_size is 4"), "\(other.errors)")
      // Within an epoch each column is somewhere in the text.
      let half = ["--max-steps", "5", "--output", "half"]
      #expect(try Program.run(train + half, ranks: 2, in: folder).status == 0)
      let refused = try Program.run(
        ["train", "--resume", "half", "--set", "batch_size=4"], ranks: 2, in: folder)
      #expect(refused.status == 78, "\(refused.errors)")
      #expect(
        refused.message.contains("batch_size is 4") && refused.message.contains("set batch_size=8"),
        "\(refused.errors)")
      #expect(refused.message.split(separator: "\n").count == 1, "\(refused.errors)")
    }
  }
}
