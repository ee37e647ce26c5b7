// SPDX-License-Identifier: Apache-2.0

import Files
import Foundation
import TestSupport
import Testing

/// Runs that are killed, or whose disk fails, at each named point of saving a checkpoint.
@Suite(.serialized) struct CheckpointFaultTests {
  /// Saves at steps 3, 6, 9 and 12 (the end), and keeps two, so the third save removes one. There
  /// is no validation, which would also save and keep a best checkpoint.
  static let lastStep = 12
  static let arguments = [
    "--set", "model.hidden_size=3", "--set", "dataset.steps=5", "--set", "batch_size=8",
    "--set", "dataset.train_count=64", "--set", "dataset.validation_count=0",
    "--set", "epochs=10", "--set", "checkpoint.every_steps=3", "--set", "checkpoint.keep_last=2",
    "--max-steps", "\(lastStep)",
  ]

  static let points = Failpoint.allCases.filter { $0.rawValue.hasPrefix("checkpoint.") }

  /// The parameters_sha256 of the undisturbed run.
  static let undisturbed: String? = try? Places.withTemporaryFolder { folder in
    guard try train("run", ranks: 1, in: folder).status == 0 else { return nil }
    return try RankCountTests.digest("run", in: folder)
  }

  static func train(
    _ run: String, ranks: Int, in folder: String, _ more: [String] = [], failpoints: String = ""
  ) throws -> Program.Outcome {
    try Program.run(
      ["train", "--output", run] + arguments + more, ranks: ranks, in: folder,
      environment: ["MOMENTUM_DIST_FAILPOINTS": failpoints], deadline: 30)
  }

  static func names(_ folder: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: "\(folder)/run/checkpoints").sorted()
  }

  /// Resumes the run. It must end like the undisturbed run, with nothing left over.
  static func expectToGoOn(
    _ folder: String, ranks: Int, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let resumed = try train("run", ranks: ranks, in: folder, ["--resume"])
    #expect(resumed.status == 0, "\(resumed.errors)", sourceLocation: sourceLocation)
    let digest = try RankCountTests.digest("run", in: folder)
    #expect(digest == undisturbed && undisturbed != nil, sourceLocation: sourceLocation)
    let names = try names(folder)
    #expect(
      names.allSatisfy {
        $0 == "latest" || $0.hasSuffix(".passed") || ($0.hasPrefix("step-") && !$0.contains("."))
      },
      "left over: \(names)", sourceLocation: sourceLocation)
    let latest = try FileManager.default.destinationOfSymbolicLink(
      atPath: "\(folder)/run/checkpoints/latest")
    #expect(latest == "step-000000\(lastStep)", sourceLocation: sourceLocation)
  }

  /// The rank on which a point is tried. If every rank passes the point, it is not the first.
  static func rank(_ point: Failpoint) -> Int {
    point.rawValue.contains(".shard.") ? 1 : 0
  }

  /// The passage that is tried. It is not in the first save, so that there is a good checkpoint.
  static func passage(_ point: Failpoint) -> Int { point == .checkpointPrune ? 1 : 2 }

  static func text(_ point: Failpoint, _ action: String) -> String {
    "\(point.rawValue)=\(action)@\(rank(point))#\(passage(point))"
  }

  @Test(arguments: points) func aKillAnywhereLosesNothing(_ point: Failpoint) throws {
    try Places.withTemporaryFolder { folder in
      let killed = try Self.train("run", ranks: 2, in: folder, failpoints: Self.text(point, "kill"))
      #expect(killed.status != 0 && killed.errors.contains("signal 9"), "\(killed.errors)")
      #expect(killed.seconds < 25 * Waiting.patience, "the other rank did not end")
      // It is readable without any cleaning up.
      _ = try RankCountTests.digest("run", in: folder)
      try Self.expectToGoOn(folder, ranks: [1, 3, 4].randomElement() ?? 1)
    }
  }

  /// After the last save no next one corrects `latest` or removes old files.
  @Test(arguments: [
    "checkpoint.rename=kill#4", "checkpoint.latest=kill#4", "checkpoint.prune=kill#2",
  ])
  func aKillInTheLastSaveLosesNothing(_ failpoint: String) throws {
    try Places.withTemporaryFolder { folder in
      let killed = try Self.train("run", ranks: 2, in: folder, failpoints: failpoint)
      #expect(killed.errors.contains("signal 9"), "\(killed.errors)")
      try Self.expectToGoOn(folder, ranks: 3)
    }
  }

  /// A slow disk changes nothing.
  @Test func aDelayChangesNothing() throws {
    try Places.withTemporaryFolder { folder in
      let slow = try Self.train(
        "run", ranks: 2, in: folder,
        failpoints: "checkpoint.shard.sync=delay:0.2@1,checkpoint.view=delay:0.2")
      #expect(slow.status == 0, "\(slow.errors)")
      try Self.expectToGoOn(folder, ranks: 1)
    }
  }

  @Test(arguments: points, ["fail", "nospace"])
  func aFailureAnywhereIsOneLineAndAStatus(_ point: Failpoint, _ action: String) throws {
    try Places.withTemporaryFolder { folder in
      let failed = try Self.train(
        "run", ranks: 2, in: folder, failpoints: Self.text(point, action))
      #expect(failed.status == 74, "\(failed.errors)")
      let message = failed.message
      let reason = action == "fail" ? "Input/output error" : "No space left on device"
      #expect(message.contains("run/checkpoints/") && message.contains(reason), "\(failed.errors)")
      #expect(message.split(separator: "\n").count == 1, "\(failed.errors)")
      _ = try RankCountTests.digest("run", in: folder)
      try Self.expectToGoOn(folder, ranks: 1)
    }
  }

  @Test(arguments: [("readonly", "Read-only file system"), ("quota", "Disk quota exceeded")])
  func theReasonIsThatOfTheSystem(_ action: String, _ reason: String) throws {
    try Places.withTemporaryFolder { folder in
      let failed = try Self.train(
        "run", ranks: 2, in: folder, failpoints: Self.text(.checkpointManifest, action))
      #expect(failed.status == 74 && failed.message.contains(reason), "\(failed.errors)")
      try Self.expectToGoOn(folder, ranks: 1)
    }
  }

  /// A run that is killed in its first save has nothing to resume from, and starts again.
  @Test func aKillBeforeThereIsACheckpoint() throws {
    try Places.withTemporaryFolder { folder in
      let killed = try Self.train(
        "run", ranks: 2, in: folder, failpoints: "checkpoint.manifest=kill")
      #expect(killed.errors.contains("signal 9"), "\(killed.errors)")
      #expect(try Self.names(folder) == ["step-00000003.partial"])
      let resumed = try Self.train("run", ranks: 2, in: folder, ["--resume"])
      #expect(resumed.status == 65 && resumed.message.contains("holds no checkpoint"))
      #expect(try Self.train("run", ranks: 2, in: folder).status == 0)
      try Self.expectToGoOn(folder, ranks: 1)
    }
  }

  /// The newest checkpoints are damaged. The run says so, continues from the one before, and does
  /// not touch them. A kill before it has written good ones hides nothing.
  @Test(arguments: ["shard-00000-of-00002.h5", "manifest.json"])
  func aDamagedCheckpointIsPassedOver(_ file: String) throws {
    try Places.withTemporaryFolder { folder in
      #expect(try Self.train("run", ranks: 2, in: folder).status == 0)
      let path = "\(folder)/run/checkpoints/step-000000\(Self.lastStep)/\(file)"
      var data = try Data(contentsOf: URL(fileURLWithPath: path))
      data[data.count / 2] ^= 4
      try data.write(to: URL(fileURLWithPath: path))
      let killed = try Self.train(
        "run", ranks: 3, in: folder, ["--resume"], failpoints: "checkpoint.rename=kill")
      #expect(killed.errors.contains("signal 9"), "\(killed.errors)")
      #expect(killed.errors.contains("trying run/checkpoints/step-00000009"), "\(killed.errors)")
      #expect(
        try Self.names(folder) == [
          "latest", "step-00000009", "step-00000012.partial", "step-00000012.passed",
        ])
      try Self.expectToGoOn(folder, ranks: 2)
    }
  }

  /// Damaged checkpoints of later steps must not count as the newest to keep.
  @Test func damagedCheckpointsDoNotDriveOutGoodOnes() throws {
    try Places.withTemporaryFolder { folder in
      #expect(try Self.train("run", ranks: 2, in: folder).status == 0)
      for step in ["09", "12"] {
        let path = "\(folder)/run/checkpoints/step-000000\(step)/shard-00001-of-00002.h5"
        try Data().write(to: URL(fileURLWithPath: path))
      }
      let none = try Self.train("run", ranks: 2, in: folder, ["--resume"])
      #expect(none.status == 65 && none.message.contains("step-00000009/shard-"), "\(none.errors)")
      // Another run provides older good checkpoints.
      let other = try Self.train("other", ranks: 1, in: folder, ["--max-steps", "4"])
      #expect(other.status == 0, "\(other.errors)")
      try FileManager.default.moveItem(
        atPath: "\(folder)/other/checkpoints/step-00000004",
        toPath: "\(folder)/run/checkpoints/step-00000004")
      let failed = try Self.train(
        "run", ranks: 2, in: folder, ["--resume", "--set", "checkpoint.keep_last=1"],
        failpoints: "checkpoint.begin=kill#2")
      #expect(failed.errors.contains("signal 9"), "\(failed.errors)")
      #expect(try Self.names(folder).contains("step-00000006"), "the good one was removed")
      try Self.expectToGoOn(folder, ranks: 1)
    }
  }

  /// Training continues while a shard of step 3 is held, and is killed at the fifth step.
  @Test func stepsGoOnWhileAShardIsWritten() throws {
    try Places.withTemporaryFolder { folder in
      let killed = try Self.train(
        "run", ranks: 2, in: folder, ["--set", "log.every_steps=1"],
        failpoints: "checkpoint.shard.sync=delay:25@1#1,train.step=kill@0#5")
      #expect(killed.errors.contains("signal 9"), "\(killed.errors)")
      #expect(try Self.names(folder) == ["step-00000003.partial"])
      #expect(try RankCountTests.metrics("run", in: folder).count == 4)
    }
  }

  /// If the disk is slower than the interval of saves, the next save waits, and none is left out.
  @Test func oneSaveAtATimeIsOnItsWay() throws {
    try Places.withTemporaryFolder { folder in
      let killed = try Self.train(
        "run", ranks: 2, in: folder,
        failpoints: "checkpoint.shard.sync=delay:1@1#1,train.step=kill#7")
      #expect(killed.errors.contains("signal 9"), "\(killed.errors)")
      #expect(try Self.names(folder).prefix(2) == ["latest", "step-00000003"])
      try Self.expectToGoOn(folder, ranks: 1)
    }
  }

  @Test func inTheForegroundTheCheckpointIsWholeBeforeTheNextStep() throws {
    try Places.withTemporaryFolder { folder in
      let killed = try Self.train(
        "run", ranks: 2, in: folder, ["--set", "checkpoint.background=false"],
        failpoints: "checkpoint.shard.sync=delay:0.5@1#1,train.step=kill@0#4")
      #expect(killed.errors.contains("signal 9"), "\(killed.errors)")
      #expect(try Self.names(folder) == ["latest", "step-00000003"])
    }
  }

  /// The writer of one rank fails while the others train: all end, and the file is named.
  @Test func anErrorOfTheWriterEndsTheRunWhileItTrains() throws {
    try Places.withTemporaryFolder { folder in
      let failed = try Self.train(
        "run", ranks: 3, in: folder, ["--set", "checkpoint.every_steps=2"],
        failpoints: "checkpoint.shard.write=nospace@2#2")
      #expect(failed.status == 74, "\(failed.errors)")
      #expect(
        failed.message.contains("step-00000004.partial/shard-00002-of-00003.h5"),
        "\(failed.errors)")
      #expect(try Self.names(folder) == ["latest", "step-00000002"])
      _ = try RankCountTests.digest("run", in: folder)
    }
  }

  /// A misspelt failpoint must be an error.
  @Test func aMisspeltFailpointIsAnError() throws {
    try Places.withTemporaryFolder { folder in
      let outcome = try Self.train("run", ranks: 1, in: folder, failpoints: "checkpoint.begn=kill")
      #expect(outcome.status == 74 && outcome.message.contains("MOMENTUM_DIST_FAILPOINTS"))
    }
  }
}
