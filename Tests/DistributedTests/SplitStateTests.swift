// SPDX-License-Identifier: Apache-2.0

import Checkpoints
import Foundation
import TestSupport
import Testing

/// Optimizer state that is split over the ranks gives the bits and checkpoints of one that is not.
@Suite(.serialized) struct SplitStateTests {
  private static let split = ["--set", "optimizer.split_state=true"]

  /// Every tensor of a run's checkpoint: its path, its shape and the bits of its numbers.
  private static func tensors(_ run: String, step: Int, in folder: String) throws -> [String] {
    let path = "\(folder)/\(run)/checkpoints/" + String(format: "step-%08d", step)
    return try CheckpointReader(path).checkedTensors().map {
      "\($0.path) \($0.shape) \($0.values.map(\.bitPattern))"
    }
  }

  /// Rows that do not divide by the ranks, and biases of fewer rows than there are ranks (1 output
  /// of a read-out over 3 ranks).
  @Test(arguments: ["adam", "sgd"])
  func theBitsAreThoseOfAWholeState(rule: String) throws {
    try Places.withTemporaryFolder { folder in
      let settings =
        ["--set", "optimizer.name=\(rule)", "--max-steps", "20"]
        + (rule == "sgd" ? ["--set", "optimizer.momentum=0.5"] : [])
      #expect(try RankCountTests.train("whole", ranks: nil, in: folder, settings).status == 0)
      let expected = try RankCountTests.digest("whole", in: folder)
      let metrics = try RankCountTests.metrics("whole", in: folder)
      let stored = try Self.tensors("whole", step: 20, in: folder)
      #expect(stored.contains { $0.hasPrefix("optimizer/") })
      for ranks in [2, 3] {
        let outcome = try RankCountTests.train(
          "r\(ranks)", ranks: ranks, in: folder, settings + Self.split)
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(try RankCountTests.digest("r\(ranks)", in: folder) == expected, "\(ranks) ranks")
        #expect(try RankCountTests.metrics("r\(ranks)", in: folder) == metrics, "\(ranks) ranks")
        #expect(try Self.tensors("r\(ranks)", step: 20, in: folder) == stored, "\(ranks) ranks")
      }
    }
  }

  /// With either setting, before and after a resume, at any rank counts. Orthogonal layers too: a
  /// rebase changes the parameters, on every rank, and not the state.
  @Test func anySettingGoesOnFromAnyOther() throws {
    try Places.withTemporaryFolder { folder in
      let settings = [
        "--set", "model.cell=momentum_dtriv", "--set", "model.rebase_every=3",
        "--set", "optimizer.orthogonal_rule=rmsprop", "--set", "model.layers=2",
      ]
      let end = settings + ["--max-steps", "20"]
      #expect(try RankCountTests.train("whole", ranks: nil, in: folder, end).status == 0)
      let expected = try RankCountTests.digest("whole", in: folder)
      let stored = try Self.tensors("whole", step: 20, in: folder)
      for (before, after, first, second) in [
        (3, 2, true, true), (2, 3, true, false), (1, 4, false, true),
      ] {
        let run = "\(before)-\(after)"
        let start = try RankCountTests.train(
          run, ranks: before, in: folder,
          settings + ["--max-steps", "7", "--set", "optimizer.split_state=\(first)"])
        #expect(start.status == 0, "\(start.errors)")
        let outcome = try RankCountTests.train(
          run, ranks: after, in: folder,
          end + ["--resume", "--set", "optimizer.split_state=\(second)"])
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(!outcome.errors.contains("note: optimizer.split_state"), "\(outcome.errors)")
        #expect(try RankCountTests.digest(run, in: folder) == expected, "\(run)")
        #expect(try Self.tensors(run, step: 20, in: folder) == stored, "\(run)")
      }
    }
  }

  /// NT-ASGD: the averages, which are state, replace the parameters for validation.
  @Test func averagesAreValidatedWhole() throws {
    try Places.withTemporaryFolder { folder in
      try LanguageModelTests.prepare(in: folder)
      func train(_ run: String, ranks: Int?, _ more: [String]) throws -> Program.Outcome {
        try Program.run(
          ["train", "--output", run] + LanguageModelTests.settings + more, ranks: ranks, in: folder)
      }
      let whole = try train("whole", ranks: nil, [])
      #expect(whole.errors.contains("averaging starts"), "\(whole.errors)")
      #expect(try train("split", ranks: 3, Self.split).status == 0)
      #expect(
        try RankCountTests.digest("split", in: folder)
          == RankCountTests.digest("whole", in: folder))
      #expect(
        try RankCountTests.metrics("split", in: folder)
          == RankCountTests.metrics("whole", in: folder))
    }
  }
}
