// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// Every number in a checkpoint is finite, even after a step whose finite loss and gradient led to an
/// update that overflowed.
@Suite(.serialized) struct FiniteStateTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let settings: [String]
    /// The text of the line.
    let message: String
    var testDescription: String { name }
  }

  static let cases = [
    Case(
      name: "the last step's update overflows",
      settings: ["optimizer.name=sgd", "optimizer.learning_rate=1e308"], message: "after the update"
    ),
    Case(
      name: "Adam's too",
      settings: ["optimizer.name=adam", "optimizer.learning_rate=1e308"],
      message: "after the update"),
    Case(
      name: "with a clipped gradient",
      settings: [
        "optimizer.name=sgd", "optimizer.learning_rate=1e308", "optimizer.clip_norm=1",
      ], message: "after the update"),
    Case(
      name: "the rate of one parameter alone",
      settings: [
        "optimizer.name=sgd", "optimizer.learning_rate=1e-3",
        "optimizer.rate_factors=readout.bias=1e300",
      ], message: "readout.bias holds"),
    Case(
      name: "split over the ranks",
      settings: [
        "optimizer.name=adam", "optimizer.learning_rate=1e308", "optimizer.split_state=true",
      ], message: "after the update"),
  ]

  @Test(arguments: cases) func anUpdateThatOverflowsEndsTheRunBeforeTheSave(_ item: Case) throws {
    try Places.withTemporaryFolder { folder in
      let plain = ["--set", "dataset.validation_count=0", "--set", "checkpoint.every_steps=1000"]
      #expect(
        try RankCountTests.train("run", ranks: 2, in: folder, plain + ["--max-steps", "3"]).status
          == 0)
      let good = try RankCountTests.digest("run", in: folder)
      // One step after the good checkpoint: only the save sees the result.
      let settings = item.settings.flatMap { ["--set", $0] }
      let needsNew = item.settings.contains("optimizer.name=sgd")
      let outcome = try RankCountTests.train(
        needsNew ? "new" : "run", ranks: 2, in: folder,
        plain + settings + (needsNew ? ["--max-steps", "1"] : ["--resume", "--max-steps", "4"]))
      #expect(outcome.status == 70, "\(outcome.errors)")
      #expect(outcome.message.split(separator: "\n").count == 1, "\(outcome.errors)")
      #expect(outcome.message.contains(item.message), "\(outcome.errors)")
      #expect(outcome.message.contains("lower optimizer.learning_rate"), "\(outcome.errors)")
      #expect(try RankCountTests.digest("run", in: folder) == good)
      let made = try? FileManager.default.contentsOfDirectory(atPath: "\(folder)/new/checkpoints")
      #expect(made ?? [] == [], "nothing of the run is kept that cannot be used")
    }
  }

  /// Where the step after it is the first to see it, the update is still named as the cause.
  @Test func theCauseIsNamedAndNotItsSign() throws {
    try Places.withTemporaryFolder { folder in
      let outcome = try RankCountTests.train(
        "run", ranks: 2, in: folder,
        ["--set", "optimizer.name=sgd", "--set", "optimizer.learning_rate=1e308"])
      #expect(outcome.status == 70, "\(outcome.errors)")
      #expect(outcome.message.hasPrefix("momentum-dist: step 1: "), "\(outcome.errors)")
      #expect(outcome.message.contains("after the update"), "\(outcome.errors)")
    }
  }
}
