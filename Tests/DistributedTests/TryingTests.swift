// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// A look at a run before it starts: a few sequences learned by heart, all parts tried.
@Suite(.serialized) struct TryingTests {
  private static let settings = [
    "--set", "model.hidden_size=5", "--set", "batch_size=20", "--set", "dataset.steps=7",
    "--set", "dataset.train_count=200", "--set", "dataset.validation_count=30",
  ]

  private func train(
    _ more: [String], ranks: Int? = nil, in folder: String
  ) throws -> Program.Outcome {
    try Program.run(
      ["train", "--output", "runs/a"] + Self.settings + more, ranks: ranks, in: folder)
  }

  private func validationLosses(_ run: String, in folder: String) throws -> [Double] {
    let text = try String(contentsOfFile: "\(folder)/\(run)/metrics.jsonl", encoding: .utf8)
    return try text.split(separator: "\n").compactMap { line in
      let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      return object?["split"] as? String == "validation" ? object?["loss"] as? Double : nil
    }
  }

  /// The entries of a folder, without the output of programs that tests keep there.
  private func entries(_ folder: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder).filter { !$0.hasPrefix(".outcome") }
  }

  /// The same few sequences in training and validation, which the key keeps for a resume; the test
  /// part is the whole one.
  @Test func aFewSequencesAreLearned() throws {
    try Places.withTemporaryFolder { folder in
      let line = [
        "--overfit", "4", "--set", "optimizer.learning_rate=0.05", "--set",
        "dataset.validation_count=0",
      ]
      let begun = try train(line + ["--set", "epochs=50"], ranks: 2, in: folder)
      #expect(begun.status == 0, "\(begun.errors)")
      #expect(
        begun.errors.contains("4 sequences, the first of the training part, also in validation"))
      let losses = try validationLosses("runs/a", in: folder)
      #expect(losses.count == 50 && (losses.last ?? 1) < 0.08, "\(losses.suffix(3))")
      #expect(begun.errors.contains("overfit: the lowest loss on the 4 sequences is 0.0"))
      #expect(!begun.errors.contains("not learned yet"), "\(begun.errors)")
      // The model after the last step, on its training sequences: what the next epoch starts with.
      let own = try Program.succeed(["evaluate", "runs/a", "--split", "train"], in: folder)
      #expect(own.output.contains("(4 sequences"), "\(own.output)")
      let tested = try Program.succeed(["evaluate", "runs/a"], in: folder)
      #expect(tested.output.contains("(1000 sequences"), "\(tested.output)")
      // Halves of a run are the whole.
      let parts = ["train", "--output", "runs/b"] + Self.settings + line
      _ = try Program.succeed(parts + ["--set", "epochs=20"], in: folder)
      _ = try Program.succeed(
        ["train", "--output", "runs/b", "--resume", "--set", "epochs=50"], ranks: 3, in: folder)
      #expect(
        try RankCountTests.digest("runs/a", in: folder)
          == RankCountTests.digest("runs/b", in: folder))
    }
  }

  @Test func whatIsNotLearnedIsSaid() throws {
    try Places.withTemporaryFolder { folder in
      let outcome = try train(
        ["--overfit", "50", "--set", "epochs=1", "--set", "optimizer.learning_rate=1e-7"],
        in: folder)
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(outcome.errors.contains("% of the baseline: not learned yet"), "\(outcome.errors)")
    }
  }

  @Test(arguments: [
    (["--overfit", "0"], 64, "--overfit is 0"),
    (["--overfit", "201"], 78, "dataset.overfit is 201, but there are 200 training sequences"),
    (["--fast-dev-run", "--resume"], 64, "leave out --resume"),
    (["--fast-dev-run", "--test"], 64, "leave out --test"),
    (["--fast-dev-run", "--sweep", "seed=1,2"], 64, "leave out --sweep"),
    (["--fast-dev-run", "--initial", "none.safetensors"], 65, "none.safetensors"),
  ])
  func whatCannotBeTriedIsRefused(_ options: [String], _ status: Int32, _ text: String) throws {
    try Places.withTemporaryFolder { folder in
      let outcome = try train(options, in: folder)
      #expect(outcome.status == status && outcome.message.contains(text), "\(outcome.errors)")
      #expect(try entries(folder).isEmpty)
    }
  }

  /// Nothing remains, not even `runs`; a run that is there is left alone.
  @Test(arguments: [1, 3]) func allPartsAreTried(_ ranks: Int) throws {
    try Places.withTemporaryFolder { folder in
      let outcome = try Program.run(
        ["train", "--output", "x/y/run", "--fast-dev-run"] + Self.settings, ranks: ranks, in: folder
      )
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(
        outcome.errors.hasSuffix(
          "3 steps, a checkpoint written and read back, a validation batch, a test batch: all parts"
            + " work; nothing was kept\n"), "\(outcome.errors)")
      #expect(outcome.errors.contains("step 3/3"))
      #expect(try entries(folder).isEmpty)
      _ = try Program.succeed(
        ["train", "--output", "runs/a"] + Self.settings + ["--max-steps", "1"], in: folder)
      let again = try train(["--fast-dev-run", "--set", "dataset.validation_count=0"], in: folder)
      #expect(again.status == 0 && again.errors.contains("read back, a test batch:"))
      #expect(try entries("\(folder)/runs") == ["a"])
    }
  }
}
