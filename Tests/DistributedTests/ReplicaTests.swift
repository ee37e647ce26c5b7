// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// A replica whose parameters go wrong ends the run, with the name of its rank and host.
@Suite(.serialized) struct ReplicaTests {
  /// Damages a rank after a step, in a run that compares replicas every 5 steps.
  private func run(
    ranks: Int?, flip: String?, every: Int = 5, steps: Int = 20,
    _ body: (Program.Outcome, String) throws -> Void
  ) throws {
    try Places.withTemporaryFolder { folder in
      let arguments =
        ["train", "--output", "run"] + RankCountTests.arguments
        + ["--max-steps", "\(steps)", "--set", "replica_check_steps=\(every)"]
      let outcome = try Program.run(
        arguments, ranks: ranks, in: folder,
        environment: flip.map { ["MOMENTUM_DIST_FLIP_BIT": $0] } ?? [:])
      try body(outcome, folder)
    }
  }

  @Test(arguments: [3, 4, 5]) func theOddRankIsNamed(ranks: Int) throws {
    for odd in [0, ranks - 1] {
      try run(ranks: ranks, flip: "\(odd):7") { outcome, _ in
        #expect(outcome.status == 70, "\(outcome.errors)")
        #expect(
          outcome.message.hasPrefix("momentum-dist: step 10: the parameters of rank \(odd) on "))
        #expect(outcome.message.contains(" differ from those of the others; resume from "))
        #expect(outcome.message.split(separator: "\n").count == 1)
      }
    }
  }

  @Test func ofTwoRanksBothAreNamed() throws {
    try run(ranks: 2, flip: "1:10") { outcome, _ in
      #expect(outcome.status == 70, "\(outcome.errors)")
      #expect(outcome.message.contains("step 10: the parameters differ between rank 0 on "))
      #expect(outcome.message.contains(", rank 1 on "))
    }
  }

  /// What a checkpoint holds was compared, also between two regular comparisons: 20 steps end with
  /// one, 25 steps would be the first regular comparison.
  @Test func aSpoiledReplicaIsNotSaved() throws {
    try run(ranks: 3, flip: "2:12", every: 25) { outcome, folder in
      #expect(outcome.status == 70, "\(outcome.errors)")
      #expect(outcome.message.contains("the parameters of rank 2 on "), "\(outcome.errors)")
      let saved = try FileManager.default.contentsOfDirectory(atPath: "\(folder)/run/checkpoints")
      #expect(!saved.contains { $0.contains("20") }, "\(saved)")
    }
  }

  @Test func soundReplicasAndOneRankPass() throws {
    try run(ranks: 3, flip: nil) { outcome, _ in #expect(outcome.status == 0, "\(outcome.errors)") }
    try run(ranks: nil, flip: "0:7") { outcome, _ in
      #expect(outcome.status == 0, "\(outcome.errors)")
    }
  }

  @Test func withoutTheCheckNobodyNotices() throws {
    try run(ranks: 3, flip: "1:7", every: 0) { outcome, _ in
      #expect(outcome.status == 0, "\(outcome.errors)")
    }
  }
}
