// SPDX-License-Identifier: Apache-2.0

import Foundation
import HDF5
import TestSupport
import Testing

/// Regression and tagging on a user's own file, from `train` to `predict`, and inputs that are
/// normalised as they are read.
@Suite(.serialized) struct OwnTasksTests {
  private static let count = 48
  private static let steps = 6

  /// Inputs far from 0. The first feature determines the target.
  private static func input(_ n: Int, _ t: Int, _ c: Int) -> Float {
    3_000_000 + 1000 * Float((n * 31 + t * 17 + c * 7 + n * t) % 23)
  }

  private func write(_ path: String) throws {
    let file = try HDF5.File.create(path)
    for (part, first) in [("train", 0), ("test", 1000)] {
      var (x, y, tags, labels) = ([Float](), [Float](), [Int32](), [Int32]())
      for n in first..<first + Self.count {
        for t in 0..<Self.steps {
          for c in 0..<2 { x.append(Self.input(n, t, c)) }
          tags.append(Self.input(n, t, 0) > 3_017_000 ? 1 : 0)
        }
        y.append((Self.input(n, Self.steps - 1, 0) - 3_011_000) / 5000)
        labels.append(tags.last!)
      }
      try file.write(x, to: "\(part)/x", shape: [Self.count, Self.steps, 2])
      try file.write(y, to: "\(part)/y")
      try file.write(tags, to: "\(part)/tags", shape: [Self.count, Self.steps])
      try file.write(labels, to: "\(part)/labels")
    }
    try file.close()
  }

  private func training(_ task: String, _ targets: String, _ more: String...) -> [String] {
    ([
      "dataset.task=\(task)", "dataset.file=own.h5", "dataset.inputs={part}/x",
      "dataset.targets={part}/\(targets)", "model.cell=gru", "model.hidden_size=8", "epochs=6",
      "batch_size=8", "optimizer.learning_rate=0.02", "dataset.validation_count=8",
    ] + more).flatMap { ["--set", $0] }
  }

  private func evaluation(_ run: String, in folder: String) throws -> [String: Any] {
    let text = try Program.succeed(["evaluate", run, "--json"], in: folder).output
    return try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
  }

  private func number(_ key: String, _ object: [String: Any]) throws -> Double {
    try #require(object[key] as? Double, "\(key): \(object)")
  }

  /// The step of the epoch that was best on validation by a metric that is better the larger it is.
  private func bestStep(_ run: String, by metric: String, in folder: String) throws -> Int? {
    let lines = try String(contentsOfFile: "\(folder)/\(run)/metrics.jsonl", encoding: .utf8)
    var best: (step: Int, value: Double)?
    for line in lines.split(separator: "\n") {
      let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      guard object?["split"] as? String == "validation", let step = object?["step"] as? Int,
        let value = object?[metric] as? Double, value > best?.value ?? -.infinity
      else { continue }
      best = (step, value)
    }
    return best?.step
  }

  @Test func valuesArePredicted() throws {
    try Places.withTemporaryFolder { folder in
      try write("\(folder)/own.h5")
      let settings = training(
        "regression", "y", "dataset.normalize=features", "early_stopping.metric=r2")
      _ = try Program.succeed(["train", "--output", "run"] + settings, in: folder)
      _ = try Program.succeed(["train", "--output", "three"] + settings, ranks: 3, in: folder)
      #expect(
        try RankCountTests.digest("run", in: folder)
          == RankCountTests.digest("three", in: folder))
      _ = try Program.succeed(["predict", "run", "own.h5", "--to", "p.h5"], in: folder)
      let values = try HDF5.File.open("\(folder)/p.h5").readAll("values", as: Float.self)
        .map { Double($0) }
      let truths = try HDF5.File.open("\(folder)/own.h5").readAll("test/y", as: Float.self)
        .map { Double($0) }
      let known = try evaluation("run", in: folder)
      let errors = zip(values, truths).map { $0 - $1 }
      let mean = truths.reduce(0, +) / Double(truths.count)
      let variation = truths.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
      let r2 = 1 - errors.reduce(0) { $0 + $1 * $1 } / variation
      let mae = errors.reduce(0) { $0 + abs($1) } / Double(errors.count)
      #expect(abs(try number("mae", known) - mae) < 1e-5)
      #expect(abs(try number("r2", known) - r2) < 1e-5 && r2 > 0.3, "\(known)")
      #expect(try known["step"] as? Int == bestStep("run", by: "r2", in: folder))
      let meaning = try #require(known["chance_meaning"] as? String)
      #expect(meaning.hasPrefix("always the mean: MAE ") && meaning.hasSuffix("R2 0"), "\(meaning)")
    }
  }

  /// Targets that `prepare` normalised are predicted and measured in the unit of the table.
  @Test func valuesHaveTheUnitOfTheTable() throws {
    try Places.withTemporaryFolder { folder in
      func row(_ n: Int) -> (text: String, value: Double) {
        let x = (0..<4).map { Double((n * 31 + $0 * 17 + n * $0) % 23) }
        let value = 5000 + 100 * x[3]
        return (x.map { "\($0)" }.joined(separator: ",") + ",\(value)", value)
      }
      for (name, first) in [("train", 0), ("test", 500)] {
        let text = (first..<first + 60).map { row($0).text }.joined(separator: "\n")
        try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/\(name).csv"))
      }
      let prepared = try Program.succeed(
        [
          "prepare", "csv", "--task", "regression", "--from", "train.csv", "test.csv", "--to",
          "d.h5",
        ], in: folder)
      #expect(prepared.output.contains("numbers to predict: 1 per sequence: 5000 to 7200"))
      #expect(prepared.output.contains("--set dataset.task=regression --set dataset.file=d.h5"))
      _ = try Program.succeed(
        ["train", "--output", "run"]
          + [
            "dataset.task=regression", "dataset.file=d.h5", "model.hidden_size=6", "epochs=4",
            "batch_size=8", "optimizer.learning_rate=0.02",
          ].flatMap { ["--set", $0] }, in: folder)
      _ = try Program.succeed(["predict", "run", "test.csv", "--to", "p.csv"], in: folder)
      let lines = try String(contentsOfFile: "\(folder)/p.csv", encoding: .utf8)
        .split(separator: "\n")
      #expect(lines[0] == "sequence,value_0" && lines.count == 61)
      let values = lines.dropFirst().compactMap { Double($0.split(separator: ",")[1]) }
      let errors = values.enumerated().map { abs($1 - row(500 + $0).value) }
      let known = try evaluation("run", in: folder)
      #expect(abs(try number("mae", known) - errors.reduce(0, +) / 60) < 1e-3, "\(known)")
    }
  }

  @Test func everyStepIsTagged() throws {
    try Places.withTemporaryFolder { folder in
      try write("\(folder)/own.h5")
      _ = try Program.succeed(
        ["train", "--output", "run"]
          + training(
            "tagging", "tags", "dataset.normalize=features", "early_stopping.metric=macro_f1"),
        ranks: 2, in: folder)
      _ = try Program.succeed(["predict", "run", "own.h5", "--to", "p.h5"], in: folder)
      let classes = try HDF5.File.open("\(folder)/p.h5").readAll("class", as: Int32.self)
      let truths = try HDF5.File.open("\(folder)/own.h5").readAll("test/tags", as: Int32.self)
      let known = try evaluation("run", in: folder)
      let right = zip(classes, truths).count { $0 == $1 }
      #expect(abs(try number("accuracy", known) - Double(right) / Double(truths.count)) < 1e-12)
      let f1 = [Int32(0), 1].map { k -> Double in
        let both = zip(classes, truths).count { $0 == k && $1 == k }
        return 2 * Double(both)
          / Double(classes.count { $0 == k } + truths.count { $0 == k })
      }
      #expect(abs(try number("macro_f1", known) - (f1[0] + f1[1]) / 2) < 1e-12)
      // Of two classes, both have the AUC of all pairs of a step of each.
      let all = try HDF5.File.open("\(folder)/p.h5").readAll("probabilities", as: Float.self)
      var (pairs, won) = (0.0, 0.0)
      for (a, own) in truths.enumerated() where own == 1 {
        for (b, other) in truths.enumerated() where other == 0 {
          let (p, q) = (all[2 * a + 1], all[2 * b + 1])
          pairs += 1
          won += p > q ? 1 : p == q ? 0.5 : 0
        }
      }
      #expect(abs(try number("auc", known) - won / pairs) < 1e-4, "\(known)")
      #expect(try known["step"] as? Int == bestStep("run", by: "macro_f1", in: folder))
      #expect((known["chance_meaning"] as? String)?.contains("accuracy ") == true, "\(known)")
    }
  }

  /// Such inputs train only if they are normalised; otherwise a line says so.
  @Test func inputsOfAUsersFileAreNormalised() throws {
    try Places.withTemporaryFolder { folder in
      try write("\(folder)/own.h5")
      let raw = try Program.succeed(
        ["train", "--output", "raw"] + training("classification", "labels"), in: folder)
      #expect(
        raw.errors.contains("a scale that hardly trains; set dataset.normalize=features"),
        "\(raw.errors)")
      let settings = training("classification", "labels", "dataset.normalize=features")
      let good = try Program.succeed(
        ["train", "--output", "good", "--max-steps", "7"] + settings, in: folder)
      #expect(!good.errors.contains("hardly trains"))
      _ = try Program.succeed(["train", "--resume", "good"] + settings, ranks: 2, in: folder)
      _ = try Program.succeed(["train", "--output", "whole"] + settings, in: folder)
      #expect(
        try RankCountTests.digest("good", in: folder)
          == RankCountTests.digest("whole", in: folder))
      let known = try evaluation("good", in: folder)
      #expect(try number("loss", known) < number("loss", evaluation("raw", in: folder)))
      // The statistics are those of the run, also for a file without its training part.
      let test = try HDF5.File.create("\(folder)/test.h5")
      let own = try HDF5.File.open("\(folder)/own.h5")
      try test.write(
        own.readAll("test/x", as: Float.self), to: "test/x", shape: [Self.count, Self.steps, 2])
      try test.write(own.readAll("test/labels", as: Int32.self), to: "test/labels")
      try test.close()
      let alone = try Program.succeed(
        ["evaluate", "good", "--file", "test.h5", "--json"], in: folder
      ).output
      let object = try #require(
        try JSONSerialization.jsonObject(with: Data(alone.utf8)) as? [String: Any])
      #expect(try number("loss", object) == number("loss", known))
    }
  }

  @Test func aMetricThatTheTaskLacksIsNamed() throws {
    try Places.withTemporaryFolder { folder in
      try write("\(folder)/own.h5")
      for (task, targets, metric, known) in [
        ("regression", "y", "accuracy", "loss, mae, r2"),
        ("classification", "labels", "mae", "loss, accuracy, macro_f1, balanced_accuracy"),
      ] {
        let outcome = try Program.run(
          ["train", "--output", "run"]
            + training(task, targets, "early_stopping.metric=\(metric)"), ranks: 2, in: folder)
        #expect(outcome.status == 78 && outcome.ownErrors.count >= 1)
        #expect(
          outcome.message.contains("does not have; choose \(known)"), "\(outcome.errors)")
      }
      let outcome = try Program.run(
        ["train", "--output", "run"] + training("regression", "labels"), in: folder)
      #expect(outcome.status == 65, "\(outcome.errors)")
      #expect(outcome.message.contains("regression needs numbers for each sequence"))
    }
  }
}
