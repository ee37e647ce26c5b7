// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// Resumes with other keys, into other folders, and from older steps.
@Suite(.serialized) struct ResumeTests {
  private static func steps(_ folder: String, _ run: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: "\(folder)/\(run)/checkpoints").sorted()
  }

  private static func latest(_ folder: String, _ run: String) throws -> String {
    try FileManager.default.destinationOfSymbolicLink(
      atPath: "\(folder)/\(run)/checkpoints/latest")
  }

  /// With larger batches an epoch has fewer steps than this one has done: it is over.
  @Test func anotherBatchSizeMakesOtherStepsFromThereOn() throws {
    try Places.withTemporaryFolder { folder in
      #expect(
        try RankCountTests.train("run", ranks: 2, in: folder, ["--max-steps", "9"]).status == 0)
      let resumed = try RankCountTests.train(
        "run", ranks: 3, in: folder, ["--resume", "--set", "batch_size=43", "--set", "epochs=2"])
      #expect(resumed.status == 0, "\(resumed.errors)")
      #expect(resumed.errors.contains("note: batch_size is 43"), "\(resumed.errors)")
      #expect(try Self.latest(folder, "run") == "step-00000014", "9 of 11, then 5 of 43")
    }
  }

  @Test func aRunInAnotherFolderHasACheckpointWhenItEnds() throws {
    try Places.withTemporaryFolder { folder in
      let steps = ["--max-steps", "9"]
      #expect(try RankCountTests.train("one", ranks: 2, in: folder, steps).status == 0)
      let other = try RankCountTests.train(
        "other", ranks: 2, in: folder, ["--resume", "one"] + steps)
      #expect(other.status == 0, "\(other.errors)")
      #expect(try Self.latest(folder, "other") == "step-00000009")
      #expect(
        try RankCountTests.digest("other", in: folder) == RankCountTests.digest("one", in: folder))
      let mixed = try RankCountTests.train("other", ranks: 2, in: folder, ["--resume", "one"])
      #expect(mixed.status == 64, "\(mixed.errors)")
      #expect(mixed.message.contains("other: holds a run already (step 9)"), "\(mixed.errors)")
    }
  }

  @Test func oneProcessAtATimeTrainsIntoAFolder() throws {
    try Places.withTemporaryFolder { folder in
      let first = try Program.run(
        ["train", "--output", "run", "--max-steps", "9"] + RankCountTests.arguments, ranks: 2,
        in: folder, environment: ["MOMENTUM_DIST_FAILPOINTS": "train.step=delay:5@0#4"]
      ) {
        let checkpoints = "\(folder)/run/checkpoints"
        #expect(Waiting.until { FileManager.default.fileExists(atPath: checkpoints) })
        let second = try RankCountTests.train("run", ranks: 1, in: folder, [])
        #expect(second.status == 64, "\(second.errors)")
        #expect(second.message.contains("another process is training in it"))
      }
      #expect(first.status == 0, "\(first.errors)")
      #expect(try Self.latest(folder, "run") == "step-00000009")
    }
  }

  /// The abandoned checkpoints must not win the next resume, although their steps are later.
  @Test func goingBackToAnOlderCheckpointLeavesTheLaterOnesBehind() throws {
    try Places.withTemporaryFolder { folder in
      let often = ["--set", "checkpoint.every_steps=3", "--set", "checkpoint.keep_last=5"]
      func train(_ more: [String]) throws -> Program.Outcome {
        try RankCountTests.train("run", ranks: 2, in: folder, often + more)
      }
      #expect(try train(["--max-steps", "12"]).status == 0)
      let back = try train(["--resume", "run/checkpoints/step-00000006", "--max-steps", "8"])
      #expect(back.status == 0, "\(back.errors)")
      #expect(back.errors.contains("left behind as run/checkpoints/step-00000009.passed"))
      let newest = try train(["--resume", "--max-steps", "10"])
      #expect(newest.errors.contains("step-00000008: step 8"), "\(newest.errors)")
      #expect(
        try Self.steps(folder, "run") == [
          "latest", "step-00000003", "step-00000006", "step-00000008", "step-00000009",
          "step-00000009.passed", "step-00000010", "step-00000011.passed",
          "step-00000012.passed",
        ])
    }
  }

  /// Momentum is state of the optimizer, which a checkpoint without it does not have.
  @Test func aMomentumThatTheCheckpointDoesNotHaveIsRefused() throws {
    try Places.withTemporaryFolder { folder in
      let plain = ["--set", "optimizer.name=sgd", "--max-steps", "3"]
      #expect(try RankCountTests.train("run", ranks: 1, in: folder, plain).status == 0)
      let other = try RankCountTests.train(
        "run", ranks: 1, in: folder, plain + ["--resume", "--set", "optimizer.momentum=0.9"])
      #expect(other.status == 78, "\(other.errors)")
      #expect(other.message.contains("optimizer.momentum is 0.9"), "\(other.errors)")
    }
  }

  @Test func aSeriesThatIsInterruptedSaysHowToGoOn() throws {
    try Places.withTemporaryFolder { folder in
      let series = ["train", "--output", "all", "--seeds", "2"] + RankCountTests.arguments
      let outcome = try Program.run(
        series, ranks: 2, in: folder,
        environment: ["MOMENTUM_DIST_FAILPOINTS": "train.step=delay:1@1#9"],
        sending: [SIGUSR2], when: "train.step holds")
      #expect(outcome.status == 75, "\(outcome.errors)")
      #expect(
        outcome.message.contains("continue with --seeds 2 --resume --output all"),
        "\(outcome.errors)")
      let missing = try Program.run(series + ["--resume", "elsewhere"], ranks: 2, in: folder)
      #expect(missing.status == 65, "\(missing.errors)")
      try FileManager.default.createDirectory(
        atPath: "\(folder)/elsewhere", withIntermediateDirectories: false)
      let wrong = try Program.run(series + ["--resume", "elsewhere"], ranks: 2, in: folder)
      #expect(wrong.status == 64, "\(wrong.errors)")
      let whole = try Program.run(series + ["--resume"], ranks: 1, in: folder)
      #expect(whole.status == 0 && whole.output.contains("2 seeds"), "\(whole.errors)")
    }
  }
}
