// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// `train --audit` finds a rank that computes wrong results, and changes nothing otherwise.
@Suite(.serialized) struct AuditRunTests {
  private static let small = RankCountTests.arguments + ["--max-steps", "40"]

  /// A run in which a rank has a fault from step 9 on.
  private func run(
    _ fault: String, rank: Int, of ranks: Int, audit: String = "1", in folder: String
  ) throws -> Program.Outcome {
    try Program.run(
      ["train", "--output", "run", "--audit", audit, "--set", "replica_check_steps=0"] + Self.small,
      ranks: ranks, in: folder, environment: ["MOMENTUM_DIST_FLIP_\(fault)": "\(rank):9"])
  }

  /// Each rank in turn is the faulty one, and is named although it may be owner or auditor. The step
  /// that is found wrong is not taken: nothing has been saved after the step before.
  @Test(arguments: ["GRADIENT", "BIT", "ACTIVATION"]) func theFaultyRankIsNamed(
    fault: String
  ) throws {
    let place = fault == "BIT" ? "the parameters" : "the gradient of "
    for rank in 0..<3 {
      try Places.withTemporaryFolder { folder in
        let outcome = try run(fault, rank: rank, of: 3, in: folder)
        #expect(outcome.status == 70, "\(outcome.errors)")
        let line = outcome.ownErrors.filter { $0.contains("is wrong in") }
        try #require(line.count == 1, "\(outcome.errors)")
        #expect(
          line[0].contains(": rank \(rank) on \(DeadlineTests.host) is wrong in \(place)"),
          "\(line)")
        let match = try #require(line[0].firstMatch(of: /step ([0-9]+),/))
        let step = try #require(Int(match.1))
        #expect((9...20).contains(step), "\(line)")
        let (note, host) = ("\(folder)/run/wrong-host", DeadlineTests.host)
        #expect(try String(contentsOfFile: note, encoding: .utf8) == "\(host)\n\(host) 3\n")
        let log = try String(
          contentsOfFile: "\(folder)/run/logs/rank-00000.log", encoding: .utf8)
        #expect(log.contains("failed at step \(step - 1): step \(step), virtual shard "), "\(log)")
      }
    }
  }

  /// A faulty host ends a sweep, and is not taken for a trial that diverged.
  @Test func aFaultyRankEndsASweep() throws {
    try Places.withTemporaryFolder { folder in
      let outcome = try Program.run(
        [
          "train", "--output", "sweep", "--sweep", "optimizer.learning_rate=0.001,0.01", "--audit",
          "1",
        ] + RankCountTests.arguments + ["--set", "epochs=2"], ranks: 3, in: folder,
        environment: ["MOMENTUM_DIST_FLIP_GRADIENT": "1:9"])
      #expect(outcome.status == 70, "\(outcome.errors)")
      #expect(outcome.errors.contains(": rank 1 on "), "\(outcome.errors)")
      let record = try String(contentsOfFile: "\(folder)/sweep/sweep.json", encoding: .utf8)
      #expect(!record.contains("diverged"), "\(record)")
    }
  }

  /// Trials side by side: the note has the hosts of all groups.
  @Test func aFaultyRankEndsAPackedSweep() throws {
    try Places.withTemporaryFolder { folder in
      let outcome = try Program.run(
        [
          "train", "--output", "sweep", "--sweep", "optimizer.learning_rate=0.001,0.01", "--audit",
          "1", "--ranks-per-trial", "2",
        ] + RankCountTests.arguments + ["--set", "epochs=2"], ranks: 4, in: folder,
        environment: ["MOMENTUM_DIST_FLIP_GRADIENT": "1:9"])
      #expect(outcome.status == 70, "\(outcome.errors)")
      let (note, host) = ("\(folder)/sweep/wrong-host", DeadlineTests.host)
      #expect(try String(contentsOfFile: note, encoding: .utf8) == "\(host)\n\(host) 4\n")
    }
  }

  @Test func ofTwoRanksBothAreNamed() throws {
    try Places.withTemporaryFolder { folder in
      let outcome = try run("ACTIVATION", rank: 1, of: 2, in: folder)
      #expect(outcome.status == 70, "\(outcome.errors)")
      #expect(outcome.message.contains(": rank 0 on "), "\(outcome.errors)")
      #expect(outcome.message.contains(", rank 1 on "), "\(outcome.errors)")
      #expect(outcome.message.contains(" differ in the gradient of "), "\(outcome.errors)")
    }
  }

  /// One rank finds a fault that comes and goes, and is told that it finds no other.
  @Test func oneRankComparesWithItself() throws {
    try Places.withTemporaryFolder { folder in
      let outcome = try run("GRADIENT", rank: 0, of: 1, in: folder)
      #expect(outcome.status == 70, "\(outcome.errors)")
      #expect(outcome.message.contains("step 9, virtual shard "), "\(outcome.errors)")
      #expect(
        outcome.message.contains("computed it twice and got different bits"), "\(outcome.errors)")
      let notes = outcome.ownErrors.filter { $0.contains("twice on the same processor") }
      #expect(notes.count == 1, "\(outcome.errors)")
    }
  }

  /// A fault in a step without an audit passes.
  @Test func withoutAnAuditNobodyNotices() throws {
    try Places.withTemporaryFolder { folder in
      let outcome = try run("GRADIENT", rank: 1, of: 3, audit: "0", in: folder)
      #expect(outcome.status == 0, "\(outcome.errors)")
    }
  }

  /// Auditing every step leaves every bit and every metric alone: on whole sequences, and on a text
  /// with masks and carried state.
  @Test func theBitsAreTheSame() throws {
    try Places.withTemporaryFolder { folder in
      try LanguageModelTests.prepare(in: folder)
      let runs = [Self.small, LanguageModelTests.settings + ["--max-steps", "40"]]
      for (number, settings) in runs.enumerated() {
        func train(_ name: String, ranks: Int?, _ more: [String]) throws -> Program.Outcome {
          let outcome = try Program.run(
            ["train", "--output", name] + settings + more, ranks: ranks, in: folder)
          #expect(outcome.status == 0, "\(outcome.errors)")
          return outcome
        }
        _ = try train("plain\(number)", ranks: nil, [])
        let digest = try RankCountTests.digest("plain\(number)", in: folder)
        let metrics = try RankCountTests.metrics("plain\(number)", in: folder)
        for (ranks, more) in [
          (1, ["--audit", "100%"]), (2, ["--audit", "1", "--set", "overlap=on"]),
          (3, ["--audit", "1", "--threads", "2", "--set", "overlap=on"]),
          (3, ["--audit", "0.5", "--set", "dataset.memory=0"]),
        ] {
          let name = "audited\(number)-\(ranks)-\(more.count)"
          let outcome = try train(name, ranks: ranks, more)
          #expect(outcome.errors.contains(" steps: no difference"), "\(outcome.errors)")
          #expect(!outcome.errors.contains("audited 0 "), "\(outcome.errors)")
          #expect(try RankCountTests.digest(name, in: folder) == digest, "\(name)")
          #expect(try RankCountTests.metrics(name, in: folder) == metrics, "\(name)")
        }
      }
    }
  }

  /// A loss that overflows ends the run as diverged, not as a wrong processor.
  @Test func divergenceIsNotAFault() throws {
    try Places.withTemporaryFolder { folder in
      let outcome = try Program.run(
        ["train", "--output", "run", "--audit", "1", "--set", "optimizer.learning_rate=1e30"]
          + Self.small, ranks: 3, in: folder)
      #expect(outcome.status == 70, "\(outcome.errors)")
      #expect(outcome.message.contains("lower optimizer.learning_rate"), "\(outcome.errors)")
      #expect(!outcome.errors.contains("is wrong in"), "\(outcome.errors)")
    }
  }

  @Test func aShareIsANumberOrAPercentage() throws {
    try Places.withTemporaryFolder { folder in
      for share in ["0.25", "25%"] {
        let outcome = try Program.run(
          ["train", "--dry-run", "--audit", share] + Self.small, in: folder)
        #expect(outcome.output.contains("\naudit: 0.25\n"), "\(outcome.output)")
      }
      for share in ["2", "-1", "101%", "often", "%"] {
        let outcome = try Program.run(["train", "--audit=\(share)"], in: folder)
        #expect(outcome.status == 64)
        #expect(outcome.errors.contains("expected a share of the steps from 0 to 1"))
      }
    }
  }
}
