// SPDX-License-Identifier: Apache-2.0

import Foundation
import HDF5
import TestSupport
import Testing

/// Weights of classes in the loss, and metrics of the order of answers, in the whole program.
@Suite(.serialized) struct ClassWeightTests {
  private static let classes = 7

  /// Class k has 2 k + 2 sequences of every 56, which rise by k a step, with noise.
  private func table(_ seed: Int) -> String {
    (0..<112).map { row in
      let place = row * 5 % 56
      let k = (0..<Self.classes).first { place < ($0 + 1) * ($0 + 2) }!
      let numbers = (0..<6).map { t in k * t + (row * 131 + t * 7919 + seed * 17) % 19 }
      return numbers.map(String.init).joined(separator: ",") + ",c\(k)"
    }.joined(separator: "\n") + "\n"
  }

  private func prepare(in folder: String) throws {
    for (name, seed) in [("train", 1), ("test", 2)] {
      try Data(table(seed).utf8).write(to: URL(fileURLWithPath: "\(folder)/\(name).csv"))
    }
    _ = try Program.succeed(
      ["prepare", "csv", "--from", "train.csv", "test.csv", "--to", "d.h5"], in: folder)
  }

  private func settings(_ more: String...) -> [String] {
    ([
      "dataset.task=classification", "dataset.file=d.h5", "model.hidden_size=8", "epochs=4",
      "batch_size=8", "optimizer.learning_rate=0.01", "dataset.validation_count=14",
    ] + more).flatMap { ["--set", $0] }
  }

  private func evaluation(
    _ run: String, ranks: Int? = nil, in folder: String
  ) throws -> [String: Any] {
    let text = try Program.succeed(["evaluate", run, "--json"], ranks: ranks, in: folder).output
    return try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
  }

  /// The weights that a run's configuration has.
  private func weights(_ run: String, in folder: String) throws -> [Double] {
    let text = try String(contentsOfFile: "\(folder)/\(run)/config.yaml", encoding: .utf8)
    let line = try #require(text.split(separator: "\n").first { $0.contains("class_weights") })
    return line.split(separator: ":")[1].split { !"0123456789.e-".contains($0) }
      .compactMap { Double($0) }
  }

  /// The same draws at any rank count, and after a resume within an epoch; other draws than without.
  @Test func classesAreDrawnEquallyOften() throws {
    try Places.withTemporaryFolder { folder in
      try prepare(in: folder)
      let balanced = settings("dataset.balanced=true")
      _ = try Program.succeed(["train", "--output", "run"] + balanced, in: folder)
      _ = try Program.succeed(
        ["train", "--output", "two", "--max-steps", "17"] + balanced, ranks: 3, in: folder)
      _ = try Program.succeed(["train", "--resume", "--output", "two"], ranks: 2, in: folder)
      _ = try Program.succeed(["train", "--output", "plain"] + settings(), in: folder)
      let digest = try RankCountTests.digest("run", in: folder)
      #expect(try RankCountTests.digest("two", in: folder) == digest)
      #expect(try RankCountTests.digest("plain", in: folder) != digest)
      let refused = try Program.run(
        ["train", "--output", "no", "--set", "dataset.balanced=true"], in: folder)
      #expect(refused.status == 78, "\(refused.errors)")
      #expect(
        refused.message.contains("dataset.balanced is not used by dataset.task=adding; remove it"))
    }
  }

  @Test func figuresAreThoseOfThePredictions() throws {
    try Places.withTemporaryFolder { folder in
      try prepare(in: folder)
      let balanced = settings("dataset.class_weights=balanced", "early_stopping.metric=auc")
      _ = try Program.succeed(["train", "--output", "run"] + balanced, in: folder)
      _ = try Program.succeed(["train", "--output", "three"] + balanced, ranks: 3, in: folder)
      #expect(
        try RankCountTests.digest("run", in: folder)
          == RankCountTests.digest("three", in: folder))
      let w = try weights("run", in: folder)
      #expect(w.count == 7 && w[0] > w[1] && w[1] > w[6], "\(w)")
      _ = try Program.succeed(["predict", "run", "d.h5", "--to", "p.h5"], in: folder)
      let p = try HDF5.File.open("\(folder)/p.h5").readAll("probabilities", as: Float.self)
      let labels = try HDF5.File.open("\(folder)/d.h5").readAll("test/targets", as: Int32.self)
      let known = try evaluation("run", in: folder)
      var (loss, sum, right) = (0.0, 0.0, 0)
      for (row, label) in labels.enumerated() {
        let own = p[row * 7..<(row + 1) * 7]
        loss -= w[Int(label)] * log(Double(own[row * 7 + Int(label)]))
        sum += w[Int(label)]
        right += own.count { $0 > own[row * 7 + Int(label)] } < 5 ? 1 : 0
      }
      #expect(abs(loss / sum - (known["loss"] as? Double ?? 0)) < 1e-5, "\(known)")
      #expect(known["top_5_accuracy"] as? Double == Double(right) / Double(labels.count))
      let areas = (0..<7).map { k -> Double in
        var (pairs, won) = (0.0, 0.0)
        for (a, own) in labels.enumerated() where own == k {
          for (b, other) in labels.enumerated() where other != k {
            pairs += 1
            won += p[a * 7 + k] > p[b * 7 + k] ? 1 : p[a * 7 + k] == p[b * 7 + k] ? 0.5 : 0
          }
        }
        return won / pairs
      }
      let auc = try #require(known["auc"] as? Double)
      #expect(abs(auc - areas.reduce(0, +) / 7) < 1e-12 && auc > 0.6, "\(auc) \(areas)")
      let three = try evaluation("run", ranks: 3, in: folder)
      #expect(three["auc"] as? Double == auc)
      let line = try Program.succeed(["evaluate", "run"], in: folder).output
      #expect(line.contains("  AUC 0.") && line.contains("  top-5 accuracy "), "\(line)")
    }
  }

  /// Weights change what is learned, stay with a run that resumes, and must fit the classes.
  @Test func weightsStayWithTheRun() throws {
    try Places.withTemporaryFolder { folder in
      try prepare(in: folder)
      let balanced = settings("dataset.class_weights=balanced")
      _ = try Program.succeed(["train", "--output", "plain"] + settings(), in: folder)
      _ = try Program.succeed(["train", "--output", "all"] + balanced, in: folder)
      _ = try Program.succeed(
        ["train", "--output", "part", "--max-steps", "20"] + balanced, in: folder)
      let resumed = try Program.succeed(
        ["train", "--output", "part", "--resume"] + balanced, in: folder)
      #expect(!resumed.errors.contains("class_weights"), "\(resumed.errors)")
      let all = try RankCountTests.digest("all", in: folder)
      #expect(try RankCountTests.digest("part", in: folder) == all)
      #expect(try RankCountTests.digest("plain", in: folder) != all)
      // A run with the counted list is the same run.
      let list = try weights("all", in: folder).map { "\($0)" }.joined(separator: ",")
      _ = try Program.succeed(
        ["train", "--output", "list"] + settings("dataset.class_weights=\(list)"), in: folder)
      #expect(try RankCountTests.digest("list", in: folder) == all)
      for (more, status, words) in [
        (["dataset.class_weights=1,2"], 78, "dataset.class_weights has 2 numbers, but there are 7"),
        (["dataset.class_weights=many"], 78, "expected off, balanced, or a number for each class"),
        (["dataset.class_weights=1,-1,1,1,1,1,1"], 78, "of numbers above 0"),
      ] as [([String], Int32, String)] {
        let outcome = try Program.run(
          ["train", "--output", "none"] + settings() + more.flatMap { ["--set", $0] }, in: folder)
        #expect(outcome.status == status, "\(more): \(outcome.errors)")
        #expect(outcome.message.contains(words), "\(more): \(outcome.errors)")
      }
    }
  }
}
