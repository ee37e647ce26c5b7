// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// A gradient that is not a number ends every rank with its step, tensor and shard. The state
/// before it is kept, but no plain `--resume` uses it.
@Suite(.serialized) struct DivergenceTests {
  @Test(arguments: [1, 2, 3]) func theShardIsNamedAndTheStateKept(ranks: Int) throws {
    try Places.withTemporaryFolder { folder in
      let outcome = try Program.run(
        ["train", "--output", "run", "--set", "checkpoint.every_steps=5"]
          + RankCountTests.arguments, ranks: ranks, in: folder,
        environment: ["MOMENTUM_DIST_SPOIL_GRADIENT": "6:9"])
      #expect(outcome.status == 70, "\(outcome.errors)")
      #expect(outcome.message.split(separator: "\n").count == 1, "\(outcome.errors)")
      #expect(outcome.message.hasPrefix("momentum-dist: step 9: the loss is "))
      let rank = [1: 0, 2: 1, 3: 2][ranks]!
      #expect(
        outcome.message.contains(
          "the gradient of rnn.weight_ih_l0 in virtual shard 6, rank \(rank) on "),
        "\(outcome.errors)")
      #expect(outcome.message.contains("run/diverged/checkpoints/step-00000008"))
      // The run continues from its own checkpoint; the kept state is that of an undisturbed run.
      #expect(
        try RankCountTests.train("whole", ranks: nil, in: folder, ["--max-steps", "8"])
          .status == 0)
      let expected = try RankCountTests.digest("whole", in: folder)
      #expect(try RankCountTests.digest("run/diverged", in: folder) == expected)
      let resumed = try RankCountTests.train(
        "run", ranks: 2, in: folder, ["--resume", "--max-steps", "8"])
      #expect(resumed.errors.contains("checkpoints/step-00000005: step 5"), "\(resumed.errors)")
      #expect(try RankCountTests.digest("run", in: folder) == expected)
    }
  }

  /// An orthogonal layer may have rebased before the step that diverged. The kept state is the one
  /// before it, with the counters, and leads to the bits of an undisturbed run.
  @Test(arguments: [8, 9, 10]) func theRebaseOfADivergedStepIsTakenBack(step: Int) throws {
    try Places.withTemporaryFolder { folder in
      let settings = [
        "--set", "model.cell=momentum_dtriv", "--set", "model.rebase_every=3",
        "--set", "model.project_every=2", "--max-steps", "20",
      ]
      #expect(try RankCountTests.train("whole", ranks: nil, in: folder, settings).status == 0)
      let outcome = try Program.run(
        ["train", "--output", "run"] + RankCountTests.arguments + settings, ranks: 2, in: folder,
        environment: ["MOMENTUM_DIST_SPOIL_GRADIENT": "6:\(step)"])
      #expect(outcome.status == 70, "\(outcome.errors)")
      let resumed = try Program.run(
        ["train", "--resume", "run/diverged", "--output", "again", "--max-steps", "20"],
        in: folder)
      #expect(resumed.status == 0, "\(resumed.errors)")
      #expect(
        try RankCountTests.digest("again", in: folder)
          == RankCountTests.digest("whole", in: folder))
    }
  }

  /// One step an epoch: its gradient is finite, and validation is the first to see the result.
  @Test func aValidationLossThatIsNoNumberEndsTheRun() throws {
    try Places.withTemporaryFolder { folder in
      let outcome = try RankCountTests.train(
        "run", ranks: 2, in: folder,
        [
          "--set", "optimizer.name=sgd", "--set", "optimizer.learning_rate=1e39",
          "--set", "batch_size=215",
        ])
      #expect(outcome.status == 70, "\(outcome.errors)")
      #expect(
        outcome.message.hasPrefix("momentum-dist: epoch 1: the validation loss is "),
        "\(outcome.errors)")
    }
  }

  @Test func aRateThatIsTooLargeIsReported() throws {
    try Places.withTemporaryFolder { folder in
      let outcome = try RankCountTests.train(
        "run", ranks: 2, in: folder,
        [
          "--set", "optimizer.name=sgd", "--set", "optimizer.learning_rate=1e30",
          "--set", "optimizer.clip_norm=0",
        ])
      #expect(outcome.status == 70, "\(outcome.errors)")
      #expect(outcome.message.contains("lower optimizer.learning_rate"), "\(outcome.errors)")
    }
  }
}
