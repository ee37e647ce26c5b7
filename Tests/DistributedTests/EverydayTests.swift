// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// Everyday commands: limits, a command that starts or continues, the test at the end.
@Suite(.serialized) struct EverydayTests {
  private static let settings = [
    "--set", "model.hidden_size=5", "--set", "batch_size=20", "--set", "dataset.steps=7",
    "--set", "dataset.train_count=200", "--set", "dataset.validation_count=30",
  ]

  private func train(
    _ more: [String], ranks: Int? = nil, in folder: String
  ) throws -> Program.Outcome {
    try Program.run(["train", "--output", "run"] + Self.settings + more, ranks: ranks, in: folder)
  }

  /// A run that a time limit ends is saved, and continues to the bits of one that never stopped.
  @Test func aTimeLimitEndsARunWhole() throws {
    try Places.withTemporaryFolder { folder in
      let limited = try train(
        ["--max-time", "0.5s", "--set", "epochs=1000000"], ranks: 2, in: folder)
      #expect(limited.status == 0, "\(limited.errors)")
      #expect(limited.errors.contains("stopped at --max-time at step "), "\(limited.errors)")
      let listed = try Program.run(["inspect", "run", "--json"], in: folder)
      let object = try JSONSerialization.jsonObject(with: Data(listed.output.utf8))
      let step = try #require((object as? [String: Any])?["step"] as? Int)
      #expect(step > 0)
      let end = ["--max-steps", "\(step + 15)", "--set", "epochs=1000000"]
      let resumed = try train(["--resume"] + end, in: folder)
      #expect(resumed.status == 0, "\(resumed.errors)")
      let whole = try Program.run(["train", "--output", "whole"] + Self.settings + end, in: folder)
      #expect(whole.status == 0, "\(whole.errors)")
      #expect(
        try RankCountTests.digest("run", in: folder) == RankCountTests.digest("whole", in: folder))
    }
  }

  @Test(arguments: ["5", "h", "1h30", "-3m", "0s", "1 h", "m5"])
  func aTimeNeedsUnits(_ time: String) throws {
    try Places.withTemporaryFolder { folder in
      let outcome = try train(["--max-time=\(time)"], in: folder)
      #expect(outcome.status == 64 && outcome.message.contains("--max-time"), "\(outcome.errors)")
    }
  }

  /// One command starts a run, continues it, and leaves a finished run alone.
  @Test(arguments: [[], ["--seeds", "2"]])
  func oneLineStartsAndContinues(_ more: [String]) throws {
    try Places.withTemporaryFolder { folder in
      let line = ["--resume", "auto"] + more
      let begun = try train(line + ["--max-steps", "13"], in: folder)
      #expect(begun.status == 0 && !begun.errors.contains("resuming"), "\(begun.errors)")
      let continued = try train(line + ["--max-steps", "20"], ranks: 2, in: folder)
      #expect(continued.status == 0, "\(continued.errors)")
      #expect(continued.errors.contains("step 13, epoch 2"), "\(continued.errors)")
      let done = try train(line + ["--max-steps", "20"], in: folder)
      #expect(done.status == 0 && done.errors.contains("already at its end"), "\(done.errors)")
    }
  }

  @Test func newDataNeedsARun() throws {
    try Places.withTemporaryFolder { folder in
      let outcome = try train(["--resume", "auto", "--new-data"], in: folder)
      #expect(outcome.status == 64, "\(outcome.errors)")
      #expect(outcome.message.contains("run: has no checkpoint to continue from"))
    }
  }

  /// The test part is used only at the end of a run.
  @Test func aRunThatIsLimitedIsNotTested() throws {
    try Places.withTemporaryFolder { folder in
      let outcome = try train(["--max-steps", "3", "--test"], ranks: 2, in: folder)
      #expect(outcome.status == 0 && outcome.output.isEmpty, "\(outcome.output)")
      #expect(outcome.errors.contains("--test waits for the end"))
    }
  }

  /// `--test` prints and stores the same results as `evaluate`.
  @Test func theTestPartFollows() throws {
    try Places.withTemporaryFolder { folder in
      let outcome = try train(["--set", "epochs=2", "--test"], ranks: 2, in: folder)
      #expect(outcome.status == 0, "\(outcome.errors)")
      let kept = "\(folder)/run/evaluation-test.json"
      let figures = try String(contentsOfFile: kept, encoding: .utf8)
      try FileManager.default.removeItem(atPath: kept)
      let evaluated = try Program.run(["evaluate", "run"], in: folder)
      #expect(evaluated.output == outcome.output && evaluated.output.hasPrefix("test  loss "))
      #expect(try String(contentsOfFile: kept, encoding: .utf8) == figures)
      #expect(!outcome.errors.contains("test it:"), "the figures are there already")
    }
  }

  /// An epoch that is shorter than `log.every_steps` has a record of its training, and a line with
  /// the mean over all of it, however it was interrupted.
  @Test func everyEpochHasItsTrainingFigures() throws {
    try Places.withTemporaryFolder { folder in
      let epochs = ["--set", "epochs=2", "--set", "log.every_steps=1000"]
      let whole = try train(epochs, in: folder)
      let lines = whole.errors.split(separator: "\n").filter { $0.hasPrefix("epoch ") }
      #expect(lines.count == 2 && lines.allSatisfy { $0.contains("(training loss ") })
      #expect(lines.first?.hasSuffix("best so far") == true)
      let metrics = try RankCountTests.metrics("run", in: folder)
      #expect(metrics.filter { $0.contains("\"train\"") }.count == 2)
      try FileManager.default.removeItem(atPath: "\(folder)/run")
      #expect(try train(epochs + ["--max-steps", "14"], in: folder).status == 0)
      let resumed = try train(epochs + ["--resume"], in: folder)
      let resumedLines = resumed.errors.split(separator: "\n")
      #expect(resumedLines.contains { $0 == lines[1] }, "\(resumed.errors)")
      #expect(try RankCountTests.metrics("run", in: folder) == metrics)
    }
  }
}
