// SPDX-License-Identifier: Apache-2.0

import Foundation
import HDF5
import TestSupport
import Testing

/// Several labels for each sequence: `prepare`, `train`, `evaluate` and `predict`.
@Suite(.serialized) struct MultilabelTests {
  /// A table of sequences of six numbers. The label up applies if they rise, high if their mean is
  /// above 0; some have both, some neither.
  private static func table(_ count: Int) -> String {
    var state: UInt64 = 9
    func number() -> Double {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Double(state >> 33) / Double(1 << 31) * 2 - 1
    }
    return (0..<count).map { _ in
      let (level, slope) = (number(), number())
      let values = (0..<6).map { String(level + slope * (Double($0) - 2.5) / 2.5) }
      let labels = (slope > 0 ? ["up"] : []) + (level > 0 ? ["high"] : [])
      return (values + [labels.joined(separator: "|")]).joined(separator: ",") + "\n"
    }.joined()
  }

  private static let task = [
    "--set", "dataset.task=multilabel", "--set", "dataset.file=data.h5", "--set", "model.cell=gru",
    "--set", "model.hidden_size=6", "--set", "batch_size=16", "--set",
    "optimizer.learning_rate=0.02",
  ]

  private func prepare(in folder: String) throws -> String {
    try Self.table(240).write(toFile: "\(folder)/data.csv", atomically: true, encoding: .utf8)
    return try Program.succeed(
      ["prepare", "csv", "--task", "multilabel", "--from", "data.csv", "--to", "data.h5"],
      in: folder
    ).output
  }

  /// The same bits at 1, 2 and 3 ranks; scores above the baseline; probabilities from which the
  /// printed subset accuracy follows.
  @Test func labelsAreLearned() throws {
    try Places.withTemporaryFolder { folder in
      let printed = try prepare(in: folder)
      #expect(printed.contains("2 labels") && printed.contains("sequences by label: high "))
      #expect(printed.contains("dataset.task=multilabel"), "\(printed)")
      for ranks in 1...3 {
        _ = try Program.succeed(
          ["train", "--output", "run\(ranks)", "--set", "epochs=12"] + Self.task
            + ["--set", "early_stopping.metric=auc"], ranks: ranks, in: folder)
        #expect(
          try RankCountTests.digest("run\(ranks)", in: folder)
            == RankCountTests.digest("run1", in: folder))
      }
      let one = try Program.succeed(["evaluate", "run1", "--json"], in: folder).output
      #expect(
        try Program.succeed(["evaluate", "run1", "--json"], ranks: 3, in: folder).output == one)
      let figures = try #require(
        try JSONSerialization.jsonObject(with: Data(one.utf8)) as? [String: Any])
      let metrics = try #require(figures["metrics"] as? [String: Double])
      #expect(try #require(metrics["auc"]) > 0.9 && metrics["auc"]! <= 1)
      #expect(try #require(metrics["macro_f1"]) > 0.8, "\(metrics)")
      let text = try Program.succeed(["evaluate", "run1"], in: folder).output
      #expect(text.contains("AUC 0.9") || text.contains("AUC 1"), "\(text)")
      #expect(text.contains("subset accuracy") && text.contains("always the labels of more than"))
      // From the probabilities and the file, without the program.
      _ = try Program.succeed(
        ["predict", "run1", "data.h5", "--split", "test", "--to", "answers.csv"], in: folder)
      let lines = try String(contentsOfFile: "\(folder)/answers.csv", encoding: .utf8)
        .split(separator: "\n")
      #expect(lines[0] == "sequence,p_high,p_up" && lines.count == 49)
      let file = try HDF5.File.open("\(folder)/data.h5")
      let inputs = try file.readAll("test/inputs", as: Float.self)
      let truths = try file.readAll("test/targets", as: Int32.self)
      var exact = 0
      for (row, line) in lines.dropFirst().enumerated() {
        let answers = line.split(separator: ",").dropFirst().compactMap { Double($0) }
        let own = (high: truths[2 * row] == 1, up: truths[2 * row + 1] == 1)
        #expect(own.up == (inputs[6 * row + 5] > inputs[6 * row]), "sequence \(row)")
        if (answers[0] > 0.5) == own.high, (answers[1] > 0.5) == own.up { exact += 1 }
      }
      #expect(abs(try #require(metrics["subset_accuracy"]) - Double(exact) / 48) < 1e-12)
    }
  }

  @Test func otherTargetsAreRefused() throws {
    try Places.withTemporaryFolder { folder in
      _ = try prepare(in: folder)
      let wrong = try Program.run(
        ["train", "--output", "a", "--set", "dataset.task=regression", "--set"]
          + ["dataset.file=data.h5"], in: folder)
      #expect(wrong.status == 65 && wrong.message.contains("set dataset.task=multilabel"))
      let unknown = try Program.run(
        ["train", "--output", "a", "--set", "early_stopping.metric=r2"] + Self.task, in: folder)
      #expect(unknown.status == 78, "\(unknown.errors)")
      #expect(unknown.message.contains("choose loss, macro_f1, auc, subset_accuracy"))
    }
  }
}
