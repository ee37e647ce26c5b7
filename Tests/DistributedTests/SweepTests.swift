// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// `train --sweep`, interrupted and not.
@Suite(.serialized) struct SweepTests {
  private static let command = [
    "train", "--output", "sweep", "--set", "batch_size=20", "--set", "dataset.steps=7",
    "--set", "dataset.train_count=200", "--set", "dataset.validation_count=30",
    "--set", "epochs=4", "--sweep", "model.hidden_size=3,5", "--sweep",
    "optimizer.learning_rate=1e-4..1e-1:log", "--trials", "5",
  ]

  private func sweep(
    _ more: [String], ranks: Int? = nil, in folder: String, environment: [String: String] = [:]
  ) throws -> Program.Outcome {
    try Program.run(Self.command + more, ranks: ranks, in: folder, environment: environment)
  }

  /// A sweep that is killed and resumed on another number of ranks has the table of an undisturbed
  /// one.
  @Test(arguments: [[], ["--halving", "2"]])
  func aResumedSweepHasTheSameTable(_ more: [String]) throws {
    try Places.withTemporaryFolder { folder in
      let whole = try sweep(more, ranks: 2, in: folder)
      #expect(whole.status == 0, "\(whole.errors)")
      let lines = whole.output.split(separator: "\n")
      #expect(lines.count == 6 && lines[1].contains("finished"))
      if !more.isEmpty { #expect(lines.contains { $0.contains("dropped") }, "\(whole.output)") }
      try FileManager.default.moveItem(atPath: "\(folder)/sweep", toPath: "\(folder)/first")

      let killed = try Program.bash(
        """
        "$PROGRAM" "$@" & pid=$!
        for i in $(seq 3000); do [ -e sweep/trial-003/metrics.jsonl ] && break; sleep 0.02; done
        kill -KILL $pid; wait $pid
        """, Self.command + more, in: folder)
      #expect(killed.status == 128 + SIGKILL, "\(killed.errors)")
      let refused = try sweep(more, in: folder)
      #expect(refused.status == 64 && refused.message.contains("holds a sweep already"))
      let other = try sweep(more + ["--resume", "--trials", "6"], in: folder)
      #expect(other.status == 64, "\(other.errors)")
      let base = try sweep(more + ["--resume", "--set", "seed=7"], in: folder)
      #expect(base.status == 64 && base.message.contains("other trials"), "\(base.errors)")
      let resumed = try sweep(more + ["--resume"], ranks: 3, in: folder)
      #expect(resumed.status == 0, "\(resumed.errors)")
      #expect(resumed.output == whole.output)
      let again = try sweep(more + ["--resume", "auto"], in: folder)
      #expect(again.status == 0 && again.output == whole.output, "\(again.errors)")
      let report = try Program.run(["report", "sweep", "--to", "page.html"], in: folder)
      #expect(report.status == 0 && report.output.contains("5 runs"), "\(report.errors)")
      let list = try Program.run(["list", "."], in: folder)
      #expect(list.output.split(separator: "\n").count == 1 + 10, "\(list.output)")
      let watched = try Program.run(["watch", "sweep", "--once"], in: folder)
      #expect(watched.output.contains("trial-005"), "\(watched.output)")
    }
  }

  /// A sweep of 12 trials, side by side, that loses a rank twice and is resumed: the table of an
  /// undisturbed one.
  @Test(arguments: [1, 2])
  func aSweepThatIsKilledTwiceHasTheSameTable(_ ranksPerTrial: Int) throws {
    try Places.withTemporaryFolder { folder in
      let trials = ["--trials", "12", "--halving", "3"]
      let whole = try sweep(trials, ranks: 2, in: folder)
      #expect(whole.status == 0, "\(whole.errors)")
      let record = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/sweep/sweep.json"))
      try FileManager.default.moveItem(atPath: "\(folder)/sweep", toPath: "\(folder)/first")

      let command =
        Self.command + trials + ["--ranks-per-trial", "\(ranksPerTrial)", "--resume", "auto"]
      // The steps of all trials of the last rank count.
      for step in [15, 12] {
        let killed = try Program.run(
          command, ranks: 4, in: folder,
          environment: ["MOMENTUM_DIST_FAILPOINTS": "train.step=kill@3#\(step)"])
        #expect(killed.status != 0, "\(killed.errors)")
      }
      let left = try String(contentsOfFile: "\(folder)/sweep/sweep.json", encoding: .utf8)
      #expect(left.contains("\"waiting\""), "nothing was left to do")
      let resumed = try Program.run(command, ranks: 4, in: folder)
      #expect(resumed.status == 0, "\(resumed.errors)")
      #expect(resumed.output == whole.output)
      let after = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/sweep/sweep.json"))
      #expect(after == record)
    }
  }

  /// With one rank a trial, every line of progress names its trial.
  @Test func trialsSideBySideNameTheirLines() throws {
    try Places.withTemporaryFolder { folder in
      let outcome = try sweep(["--ranks-per-trial", "1"], ranks: 3, in: folder)
      #expect(outcome.status == 0, "\(outcome.errors)")
      for trial in 1...5 {
        #expect(outcome.errors.contains("\ntrial-00\(trial)  epoch 4  "), "\(outcome.errors)")
      }
      let refused = try sweep(["--ranks-per-trial", "2", "--resume"], ranks: 3, in: folder)
      #expect(refused.status == 64 && refused.message.contains("3 ranks"), "\(refused.errors)")
    }
  }

  /// A full disk under one trial ends all of them with its status, and the others are saved.
  @Test func aFailureOfOneTrialEndsTheOthers() throws {
    try Places.withTemporaryFolder { folder in
      let whole = try sweep([], in: folder)
      try FileManager.default.moveItem(atPath: "\(folder)/sweep", toPath: "\(folder)/first")
      let failed = try sweep(
        ["--ranks-per-trial", "1", "--set", "epochs=4000"], ranks: 3, in: folder,
        environment: ["MOMENTUM_DIST_FAILPOINTS": "checkpoint.shard.write=nospace@1#2"])
      #expect(failed.status == 74 && failed.seconds < 60 * Waiting.patience, "\(failed.errors)")
      #expect(failed.message.contains("momentum-dist: trial-00"), "\(failed.errors)")
      #expect(failed.message.contains("No space left"), "\(failed.errors)")
      let saved = (1...3).filter {
        FileManager.default.fileExists(
          atPath: "\(folder)/sweep/trial-00\($0)/checkpoints/latest")
      }
      #expect(saved == [1, 2, 3])
      try FileManager.default.removeItem(atPath: "\(folder)/sweep")

      let lost = try sweep(
        ["--ranks-per-trial", "1"], ranks: 3, in: folder,
        environment: ["MOMENTUM_DIST_FAILPOINTS": "train.step=kill@2#7"])
      #expect(
        [76, 128 + SIGKILL].contains(lost.status) && lost.seconds < 60 * Waiting.patience,
        "\(lost.errors)")
      let resumed = try sweep(["--ranks-per-trial", "1", "--resume"], ranks: 3, in: folder)
      #expect(resumed.status == 0 && resumed.output == whole.output, "\(resumed.errors)")
    }
  }

  /// A trial that does not stop is not waited for without a limit after another has failed: on rank
  /// 0, which knows of all failures, and on another.
  @Test(arguments: [0, 1]) func aTrialThatHangsIsAbandonedAfterAFailure(_ failing: Int) throws {
    try Places.withTemporaryFolder { folder in
      let outcome = try sweep(
        [
          "--ranks-per-trial", "1", "--set", "epochs=4000", "--set", "peer_timeout=3", "--set",
          "checkpoint.timeout=3",
        ], ranks: 2, in: folder,
        environment: [
          "MOMENTUM_DIST_FAILPOINTS": "checkpoint.shard.write=nospace@\(failing)#1,"
            + "train.step=delay:1000@\(1 - failing)#1"
        ])
      #expect(outcome.status == 74, "\(outcome.errors)")
      #expect(outcome.message.contains("momentum-dist: trial-00"), "\(outcome.errors)")
      #expect(outcome.message.contains("No space left"), "\(outcome.errors)")
      #expect(outcome.seconds < 60 * Waiting.patience)
    }
  }

  /// A signal to a single rank saves the trials of all groups.
  @Test(arguments: [0, 3]) func aSignalToOneRankSavesEveryTrial(_ rank: Int) throws {
    try Places.withTemporaryFolder { folder in
      let whole = try sweep([], in: folder)
      try FileManager.default.moveItem(atPath: "\(folder)/sweep", toPath: "\(folder)/first")
      let stopped = try sweep(
        ["--ranks-per-trial", "2"], ranks: 4, in: folder,
        environment: [
          "MOMENTUM_DIST_FAILPOINTS": "train.step=delay:0.05,evaluate.batch=usr2@\(rank)#1"
        ])
      #expect(stopped.status == 75, "\(stopped.errors)")
      #expect(
        stopped.message.contains("at trial-001, trial-002, which are saved"), "\(stopped.errors)")
      let resumed = try sweep(["--ranks-per-trial", "2", "--resume"], ranks: 4, in: folder)
      #expect(resumed.status == 0 && resumed.output == whole.output, "\(resumed.errors)")
      #expect(resumed.errors.contains("trial-001  resuming from"), "\(resumed.errors)")
      #expect(resumed.errors.contains("trial-002  resuming from"), "\(resumed.errors)")
    }
  }

  /// Existing trials are not used for a new sweep, and no run is replaced.
  @Test func whatLiesThereIsNotTakenOver() throws {
    try Places.withTemporaryFolder { folder in
      let command = Array(Self.command.prefix(11)) + ["--set", "epochs=1"]
      let sizes = ["--sweep", "model.hidden_size=3,4"]
      let missing = try Program.run(command + sizes + ["--resume"], in: folder)
      #expect(missing.status == 65 && missing.message.contains("no sweep"), "\(missing.errors)")
      #expect(try Program.run(command + sizes, in: folder).status == 0)
      try FileManager.default.removeItem(atPath: "\(folder)/sweep/sweep.json")
      for resume in [[], ["--resume", "auto"]] {
        let again = try Program.run(command + sizes + resume, in: folder)
        #expect(again.status == 64 && again.message.contains("trial-001: holds a run"))
      }
      #expect(try Program.run(command + ["--output", "run"], in: folder).status == 0)
      let inRun = try Program.run(command + ["--output", "run"] + sizes, in: folder)
      #expect(inRun.status == 64 && inRun.message.contains("run: holds a run"), "\(inRun.errors)")
    }
  }

  /// `--dry-run` checks every trial, prints them and writes nothing.
  @Test func trialsAreShownBefore() throws {
    try Places.withTemporaryFolder { folder in
      let command = Array(Self.command.prefix(11)) + ["--sweep", "model.hidden_size=3,4"]
      let outcome = try Program.run(command + ["--dry-run"], ranks: 2, in: folder)
      #expect(
        outcome.output == "trial-001  model.hidden_size=3\ntrial-002  model.hidden_size=4\n")
      #expect(!FileManager.default.fileExists(atPath: "\(folder)/sweep"))
    }
  }

  @Test func aSweepThatDivergesSaysSo() throws {
    try Places.withTemporaryFolder { folder in
      let outcome = try Program.run(
        Array(Self.command.prefix(13)) + [
          "--set", "optimizer.name=sgd", "--sweep", "optimizer.learning_rate=1e30,1e31",
        ], in: folder)
      #expect(outcome.status == 70, "\(outcome.errors)")
      #expect(outcome.message.contains("every trial diverged"), "\(outcome.errors)")
    }
  }

  /// A trial that diverges does not end the sweep.
  @Test func aTrialMayDiverge() throws {
    try Places.withTemporaryFolder { folder in
      let outcome = try Program.run(
        Array(Self.command.prefix(13)) + [
          "--set", "optimizer.name=sgd", "--sweep", "optimizer.learning_rate=0.01,1e30",
        ], in: folder)
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(outcome.output.contains("trial-002  diverged"), "\(outcome.output)")
    }
  }

  @Test(arguments: [
    (["--sweep", "model.cel=lstm,gru"], 78, "model.cel"),
    (["--sweep", "model.hidden_size=3,-1"], 78, "model.hidden_size"),
    (["--trials", "3"], 64, "--sweep"), (["--ranks-per-trial", "1"], 64, "--sweep"),
    (["--sweep", "model.hidden_size=3,4", "--ranks-per-trial", "0"], 64, "1 or more"),
    (["--sweep", "model.hidden_size=3,4", "--ranks-per-trial", "2"], 64, "1 rank"),
    (["--sweep", "a=1,2", "--seeds", "2"], 64, "--seeds"),
    (["--sweep", "model.hidden_size=3..9"], 64, "--trials"),
    (
      ["--sweep", "model.hidden_size=3,4", "--set", "dataset.validation_count=0"], 78, "validation"
    ),
  ])
  func mistakesEndBeforeAnythingTrains(
    _ options: [String], _ status: Int32, _ words: String
  ) throws {
    try Places.withTemporaryFolder { folder in
      let outcome = try Program.run(["train", "--output", "sweep"] + options, in: folder)
      #expect(outcome.status == status && outcome.message.contains(words), "\(outcome.errors)")
      #expect(!FileManager.default.fileExists(atPath: "\(folder)/sweep"))
    }
  }
}
