// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// launch/supervise: a run that loses ranks ends like one that does not.
@Suite(.serialized) struct SuperviseTests {
  private static func supervise(
    _ options: [String], ranks: Int, failpoints: String, _ more: [String] = [], in folder: String,
    deadline: Double = 90, signal: String = "KILL"
  ) throws -> Program.Outcome {
    try Program.script(
      "supervise",
      options + ["mpirun", "--oversubscribe", "--bind-to", "none", "-np", "\(ranks)"]
        + ["\(Program.products)/momentum-dist", "train", "--output", "run"]
        + RankCountTests.arguments + [
          "--set", "peer_timeout=2", "--set", "checkpoint.every_steps=5",
        ]
        + more,
      in: folder, environment: ["MOMENTUM_DIST_FAILPOINTS": failpoints], deadline: deadline,
      signal: signal)
  }

  /// Every start kills a rank in its tenth step. After two starts the rest is shorter.
  @Test(arguments: [[], ["--fewer"]]) func lossesLeaveNoTrace(options: [String]) throws {
    try Places.withTemporaryFolder { folder in
      // Saves in the background may be incomplete at the time of the kill.
      let steps = ["--max-steps", "18", "--set", "checkpoint.background=false"]
      #expect(try RankCountTests.train("alone", ranks: nil, in: folder, steps).status == 0)
      let outcome = try Self.supervise(
        options, ranks: 4, failpoints: "train.step=kill@1#10", steps, in: folder)
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(outcome.errors.contains("restart 2 of 3 from the newest checkpoint of run"))
      #expect(!outcome.errors.contains("restart 3"))
      #expect(outcome.errors.contains("on 2 ranks") == !options.isEmpty)
      #expect(
        try RankCountTests.digest("run", in: folder) == RankCountTests.digest("alone", in: folder))
      #expect(
        try RankCountTests.metrics("run", in: folder)
          == RankCountTests.metrics("alone", in: folder))
    }
  }

  /// A rank hangs before there is a checkpoint, and more often than allowed.
  @Test func restartsAreCounted() throws {
    try Places.withTemporaryFolder { folder in
      let outcome = try Self.supervise(
        ["--restarts", "1"], ranks: 2, failpoints: "data.read=delay:100@1#3", in: folder)
      #expect(outcome.status == 76, "\(outcome.errors)")
      #expect(outcome.errors.contains("restart 1 of 1 from the beginning"))
      #expect(outcome.errors.contains("a rank was lost, and 1 restarts are used up"))
      #expect(outcome.errors.contains("rank 1 on \(DeadlineTests.host) is stuck in reading data"))
      DeadlineTests.expectNoProcess(in: folder)
    }
  }

  @Test func otherFailuresAndSignalsAreNoReasonToRestart() throws {
    try Places.withTemporaryFolder { folder in
      let wrong = try Self.supervise(
        [], ranks: 2, failpoints: "", ["--set", "model.hiden_size=3"], in: folder)
      #expect(wrong.status == 78 && !wrong.errors.contains("supervise:"), "\(wrong.errors)")
      let stopped = try Self.supervise(
        [], ranks: 2, failpoints: "", ["--set", "epochs=1000000"], in: folder, deadline: 5,
        signal: "TERM")
      #expect(stopped.status == 75, "\(stopped.errors)")
      #expect(stopped.errors.contains("interrupted by a signal"))
    }
  }
}
