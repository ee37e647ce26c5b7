// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

#if canImport(Glibc)
  import Glibc
#endif

/// Signals to mpirun while a rank is held in each phase of a run: the run is saved once, ends with
/// 75, and resumes to the bits of an undisturbed run.
@Suite(.serialized) struct SignalTests {
  static let lastStep = 40
  static let arguments = [
    "--set", "model.hidden_size=3", "--set", "dataset.steps=5", "--set", "batch_size=8",
    "--set", "dataset.train_count=88", "--set", "dataset.validation_count=24",
    "--set", "epochs=10", "--set", "checkpoint.every_steps=3", "--set", "checkpoint.keep_last=2",
    "--max-steps", "\(lastStep)",
  ]

  static let undisturbed: String? = try? Places.withTemporaryFolder { folder in
    let outcome = try Program.run(["train", "--output", "run"] + arguments, ranks: 1, in: folder)
    return outcome.status == 0 ? try RankCountTests.digest("run", in: folder) : nil
  }

  /// Where rank 1 is held, and for how long.
  enum Phase: String, CaseIterable {
    case startUp = "start.data=delay:1@1"
    case data = "data.read=delay:1@1#5"
    case training = "train.step=delay:1@1#5"
    case evaluation = "evaluate.batch=delay:1@1#2"
    case saving = "checkpoint.shard.sync=delay:1@1#1"

    var text: String { "failpoint \(rawValue.split(separator: "=")[0]) holds" }
  }

  static func expectToGoOn(
    _ folder: String, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let resumed = try Program.run(
      ["train", "--output", "run", "--resume"] + arguments, ranks: 3, in: folder)
    #expect(resumed.status == 0, "\(resumed.errors)", sourceLocation: sourceLocation)
    let digest = try RankCountTests.digest("run", in: folder)
    #expect(digest == undisturbed && undisturbed != nil, sourceLocation: sourceLocation)
  }

  static func latest(_ folder: String) -> String? {
    try? FileManager.default.destinationOfSymbolicLink(
      atPath: "\(folder)/run/checkpoints/latest")
  }

  @Test(arguments: Phase.allCases) func aSignalInAnyPhaseSavesOnceAndEndsWith75(
    _ phase: Phase
  ) throws {
    try Places.withTemporaryFolder { folder in
      let outcome = try Program.run(
        ["train", "--output", "run"] + Self.arguments, ranks: 2, in: folder,
        environment: ["MOMENTUM_DIST_FAILPOINTS": phase.rawValue], sending: [SIGUSR2],
        when: phase.text)
      #expect(outcome.status == 75, "\(outcome.errors)")
      #expect(outcome.message.contains("interrupted by a signal"), "\(outcome.errors)")
      #expect(Self.latest(folder) != nil)
      if phase == .startUp { #expect(Self.latest(folder) == "step-00000000") }
      try Self.expectToGoOn(folder)
    }
  }

  private static let graceReason: Comment =
    "mpirun is not of Open MPI 4; that of 5 kills the ranks at once after SIGTERM"

  /// mpirun passes a SIGTERM on after a configured time, waits as long again, and kills the
  /// remaining ranks. Its own status is then 1, regardless of the ranks' exit status.
  @Test(.enabled(if: OtherMPI.mpirunWaits, graceReason), arguments: Phase.allCases)
  func aSIGTERMSavesWithinTheGraceOfMpirun(_ phase: Phase) throws {
    try Places.withTemporaryFolder { folder in
      let outcome = try Program.run(
        ["train", "--output", "run"] + Self.arguments, ranks: 2, in: folder,
        environment: [
          "MOMENTUM_DIST_FAILPOINTS": phase.rawValue.replacingOccurrences(
            of: "delay:1", with: "delay:2.5"),
          "OMPI_MCA_odls_base_sigkill_timeout": "2",
        ], sending: [SIGTERM], when: phase.text)
      #expect(outcome.status != 0)
      #expect(outcome.message.contains("interrupted by a signal"), "\(outcome.errors)")
      try Self.expectToGoOn(folder)
    }
  }

  /// With mpirun's own grace period of a second, which is enough for a faster save.
  @Test(.enabled(if: OtherMPI.mpirunWaits, graceReason))
  func aSIGTERMSavesWithinTheUsualGraceWhereTheSaveIsShort() throws {
    try Places.withTemporaryFolder { folder in
      let outcome = try Program.run(
        ["train", "--output", "run"] + Self.arguments, ranks: 2, in: folder,
        environment: ["MOMENTUM_DIST_FAILPOINTS": "train.step=delay:0.1"], sending: [SIGTERM],
        when: "train.step holds")
      #expect(outcome.status == 1, "mpirun's own status: \(outcome.status)")
      #expect(outcome.message.contains("interrupted by a signal"), "\(outcome.errors)")
      try Self.expectToGoOn(folder)
    }
  }

  /// A rank that is held longer than the grace period is killed. Only the steps since the last
  /// checkpoint are lost.
  @Test func aSIGTERMThatComesTooLateForASaveLosesSomeStepsOnly() throws {
    try Places.withTemporaryFolder { folder in
      let outcome = try Program.run(
        ["train", "--output", "run"] + Self.arguments, ranks: 2, in: folder,
        environment: ["MOMENTUM_DIST_FAILPOINTS": "train.step=delay:20@1#8"], sending: [SIGTERM],
        when: "train.step holds", deadline: 18)
      #expect(
        outcome.status == 1 && outcome.seconds < 18 * Waiting.patience,
        "\(outcome.status) \(outcome.errors)")
      #expect(!outcome.message.contains("interrupted by a signal"), "\(outcome.errors)")
      #expect(["step-00000003", "step-00000006"].contains(Self.latest(folder)))
      try Self.expectToGoOn(folder)
    }
  }

  /// Without a launcher, which has its own status, SIGTERM ends with 75.
  @Test func aSIGTERMToTheProgramEndsWith75() throws {
    try Places.withTemporaryFolder { folder in
      let outcome = try Program.run(
        ["train", "--output", "run"] + Self.arguments, in: folder,
        environment: ["MOMENTUM_DIST_FAILPOINTS": "train.step=delay:0.2"], deadline: 2,
        signal: "TERM")
      #expect(outcome.status == 75, "\(outcome.errors)")
      #expect(outcome.message.contains("interrupted by a signal"), "\(outcome.errors)")
      try Self.expectToGoOn(folder)
    }
  }

  @Test(arguments: Phase.allCases) func USR1SavesAndGoesOn(_ phase: Phase) throws {
    try Places.withTemporaryFolder { folder in
      let outcome = try Program.run(
        ["train", "--output", "run"] + Self.arguments
          + ["--set", "checkpoint.every_steps=100", "--set", "checkpoint.keep_last=9"],
        ranks: 2, in: folder,
        environment: ["MOMENTUM_DIST_FAILPOINTS": phase.rawValue], sending: [SIGUSR1],
        when: phase == .saving ? "holds" : phase.text)
      #expect(outcome.status == 0, "\(outcome.errors)")
      let saved = try FileManager.default.contentsOfDirectory(atPath: "\(folder)/run/checkpoints")
      // An epoch has eight steps; at its end a run may save by itself.
      let between = saved.compactMap { Int($0.dropFirst(5)) }.filter { $0 % 8 != 0 }
      if phase == .data || phase == .training { #expect(!between.isEmpty, "\(saved)") }
      if phase == .startUp { #expect(saved.contains("step-00000000"), "\(saved)") }
      #expect(try RankCountTests.digest("run", in: folder) == Self.undisturbed)
    }
  }

  /// Without validation no step is the best, and the first save works like any other.
  @Test func theFirstSaveIsPrunedWhereNothingIsValidated() throws {
    try Places.withTemporaryFolder { folder in
      let phase = Phase.startUp
      let outcome = try Program.run(
        ["train", "--output", "run"] + Self.arguments + ["--set", "dataset.validation_count=0"],
        ranks: 2, in: folder, environment: ["MOMENTUM_DIST_FAILPOINTS": phase.rawValue],
        sending: [SIGUSR1], when: phase.text)
      #expect(outcome.status == 0, "\(outcome.errors)")
      let saved = try FileManager.default.contentsOfDirectory(atPath: "\(folder)/run/checkpoints")
      #expect(saved.sorted() == ["latest", "step-00000039", "step-00000040"])
    }
  }

  /// A rank that waits for streamed data still agrees with the others, and is not waited for.
  @Test func aSignalIsHeardWhileDataAreAwaited() throws {
    try Places.withTemporaryFolder { folder in
      let prepared = try Program.run(
        [
          "prepare", "adding", "--to", "set.h5", "--steps", "5", "--train", "200",
          "--test", "8", "--validation", "8",
        ], in: folder)
      #expect(prepared.status == 0, "\(prepared.errors)")
      let streamed = [
        "--set", "dataset.file=set.h5", "--set", "dataset.memory=0", "--set",
        "model.hidden_size=3", "--set", "batch_size=8", "--set", "checkpoint.every_steps=3",
        "--max-steps", "20",
      ]
      let outcome = try Program.run(
        ["train", "--output", "run"] + streamed, ranks: 2, in: folder,
        environment: ["MOMENTUM_DIST_FAILPOINTS": "data.prefetch=delay:40@1#5"],
        sending: [SIGUSR2], when: "data.prefetch holds", deadline: 35)
      #expect(outcome.status == 75 && outcome.seconds < 35 * Waiting.patience, "\(outcome.errors)")
      #expect(Self.latest(folder) == "step-00000005")
      let resumed = try Program.run(
        ["train", "--output", "run", "--resume"] + streamed, ranks: 3, in: folder)
      #expect(resumed.status == 0, "\(resumed.errors)")
      let whole = try Program.run(
        ["train", "--output", "whole"] + streamed + ["--set", "dataset.memory=9"], ranks: 1,
        in: folder)
      #expect(whole.status == 0, "\(whole.errors)")
      #expect(
        try RankCountTests.digest("run", in: folder) == RankCountTests.digest("whole", in: folder))
    }
  }

  /// Streamed data that never arrive: no MPI call waits for them, and the rank is still named.
  @Test func dataThatNeverComeEndTheRun() throws {
    try Places.withTemporaryFolder { folder in
      let prepared = try Program.run(
        [
          "prepare", "adding", "--to", "set.h5", "--steps", "5", "--train", "200",
          "--test", "8", "--validation", "8",
        ], in: folder)
      #expect(prepared.status == 0, "\(prepared.errors)")
      let outcome = try Program.run(
        [
          "train", "--output", "run", "--set", "dataset.file=set.h5", "--set", "dataset.memory=0",
          "--set", "model.hidden_size=3", "--set", "batch_size=8", "--set", "peer_timeout=2",
        ], ranks: 2, in: folder,
        environment: ["MOMENTUM_DIST_FAILPOINTS": "data.prefetch=delay:50@1#5"], deadline: 40)
      #expect(outcome.status == 76 && outcome.seconds < 40 * Waiting.patience, "\(outcome.errors)")
      #expect(outcome.errors.contains("rank 1 on "), "\(outcome.errors)")
      #expect(outcome.errors.contains("is stuck in reading data"), "\(outcome.errors)")
    }
  }

  /// A terminal that is closed. If the tests themselves ignore it, so do the processes that they
  /// start.
  @Test(.enabled("SIGHUP is ignored here, as under nohup") { signalIsHeard(SIGHUP) })
  func aHangUpSaves() throws {
    try Places.withTemporaryFolder { folder in
      let outcome = try Program.run(
        ["train", "--output", "run"] + RankCountTests.arguments + ["--set", "epochs=1000000"],
        in: folder, deadline: 4, signal: "HUP")
      #expect(outcome.status == 75, "\(outcome.errors)")
      #expect(outcome.message.contains("saved in run/checkpoints/latest"), "\(outcome.errors)")
    }
  }

  private static func signalIsHeard(_ number: Int32) -> Bool {
    var action = sigaction()
    _ = sigaction(number, nil, &action)
    return action.__sigaction_handler.sa_handler == nil
  }

  /// The second Ctrl-C does not wait for anything: the last good checkpoint stays.
  @Test func aSecondInterruptEndsAtOnce() throws {
    try Places.withTemporaryFolder { folder in
      let outcome = try Program.run(
        ["train", "--output", "run", "--set", "checkpoint.background=false"] + Self.arguments,
        ranks: 2, in: folder,
        environment: ["MOMENTUM_DIST_FAILPOINTS": "train.step=delay:30@1#6"],
        sending: [SIGINT, SIGINT], when: "train.step holds", deadline: 25)
      #expect(outcome.status != 0 && outcome.seconds < 25 * Waiting.patience, "\(outcome.errors)")
      #expect(Self.latest(folder) == "step-00000003")
      try Self.expectToGoOn(folder)
    }
  }
}
