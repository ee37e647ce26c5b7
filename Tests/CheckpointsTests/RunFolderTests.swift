// SPDX-License-Identifier: Apache-2.0

import Files
import Foundation
import TestSupport
import Testing

@testable import Checkpoints

/// The checkpoints of a run after kills and on a full disk.
@Suite struct RunFolderTests {
  private func withRun(_ steps: [Int], _ body: (RunFolder) throws -> Void) throws {
    try Places.withTemporaryFolder { folder in
      let run = RunFolder(folder)
      try DurableFiles.createFolder(run.checkpoints)
      for step in steps {
        try CheckpointTests.write(run.checkpoint(step: step), step: step, shards: 1)
      }
      try body(run)
    }
  }

  private func names(_ run: RunFolder) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: run.checkpoints).sorted()
  }

  @Test func aCheckpointBetweenTwoRenamesIsFound() throws {
    try withRun([10, 20]) { run in
      let newest = run.checkpoint(step: 20)
      try DurableFiles.rename(newest, to: newest + ".replaced")
      try CheckpointTests.write(newest + ".partial", step: 20, shards: 1)
      #expect(run.savedSteps() == [10, 20])
      let found = try #require(RunFolder.candidates(at: run.path).first)
      #expect(try CheckpointReader(found).tensors().count == 3)
      try run.tidy()
      #expect(try names(run) == ["step-00000010", "step-00000020"])
      #expect(RunFolder.candidates(at: run.path).first == newest)
    }
  }

  @Test func whatKilledRunsLeaveIsClearedAway() throws {
    try withRun([10]) { run in
      for name in [
        "step-00000020.partial", "step-00000010.removed", "step-00000010.replaced",
        "step-00000030.replaced", "step-00000030", "latest.partial-123", "notes", "step-x.partly",
      ] {
        try DurableFiles.createFolder("\(run.checkpoints)/\(name)")
      }
      // The replaced one exists only as long as it is needed.
      try CheckpointTests.write(run.checkpoint(step: 30) + ".replaced", step: 30, shards: 1)
      try run.tidy()
      #expect(
        try names(run) == ["notes", "step-00000010", "step-00000030", "step-x.partly"])
      #expect(run.savedSteps() == [10, 30])
    }
  }

  @Test func onlyCanonicalNamesCount() throws {
    try withRun([10]) { run in
      for name in ["step--0000010", "step-+0000020", "step-30", "step-00000040.old"] {
        try CheckpointTests.write("\(run.checkpoints)/\(name)", shards: 1)
      }
      #expect(run.savedSteps() == [10])
    }
  }

  /// A folder whose name is only similar to ours belongs to someone else.
  @Test func namesLikeOursStay() throws {
    try withRun([10]) { run in
      let others = [
        "latest.partial-mine", "latest.partial-", "step-0000010.removed", "step-10.partial",
        "step-mine.replaced", "step-mynotes.removed", "step-old.partial",
      ]
      for name in others { try DurableFiles.createFolder("\(run.checkpoints)/\(name)") }
      try run.tidy()
      #expect(try names(run) == (others + ["step-00000010"]).sorted())
    }
  }

  /// Later steps that were passed over at the resume do not count, and are not lost.
  @Test func whatIsPassedOverDoesNotCount() throws {
    try withRun([10, 20, 30, 40]) { run in
      let later = ["step-00000030.passed", "step-00000040.passed"]
      #expect(try run.passOver(after: 20) == later)
      #expect(run.savedSteps() == [10, 20])
      try run.prune(keepingLast: 0)
      try run.tidy()
      #expect(try names(run) == ["step-00000020"] + later)
      // A second checkpoint that is passed over at the same step gets another name.
      try CheckpointTests.write(run.checkpoint(step: 40), step: 40, shards: 1)
      #expect(try run.passOver(after: 20) == ["step-00000040.passed-2"])
      #expect(try names(run) == ["step-00000020"] + later + ["step-00000040.passed-2"])
    }
  }

  /// If the newest checkpoint is damaged, the run resumes from an older one and evaluates the best
  /// that the older one names.
  @Test func theBestOfEveryKeptCheckpointStays() throws {
    try withRun([]) { run in
      for (step, best) in [(10, 10), (20, 10), (30, 10), (40, 40), (50, 40)] {
        try CheckpointTests.write(run.checkpoint(step: step), step: step, shards: 1, best: best)
        try run.prune(keepingLast: 2)
      }
      #expect(run.savedSteps() == [40, 50], "nothing that is kept names step 10")
      try CheckpointTests.write(run.checkpoint(step: 60), step: 60, shards: 1, best: 60)
      try run.prune(keepingLast: 2)
      #expect(run.savedSteps() == [40, 50, 60], "step 50 names step 40")
    }
  }

  @Test func savingAStepTwiceReplacesIt() throws {
    try withRun([10]) { run in
      try CheckpointTests.write(run.checkpoint(step: 10), step: 10, shards: 2)
      #expect(try CheckpointReader(run.checkpoint(step: 10)).manifest.files.count == 2)
      #expect(try names(run) == ["step-00000010"])
    }
  }

  @Test func aFullDiskIsFoundBeforeWriting() throws {
    let error = #expect(throws: CheckpointError.self) {
      try CheckpointWriter.requireRoom(for: 1001, free: 1000, "run/step")
    }
    #expect(error?.isDiskFailure == true)
    #expect(
      error?.description.hasPrefix(
        "run/step: needs 1001 bytes on the disk, but only 1000 are free; make room") == true)
    try CheckpointWriter.requireRoom(for: 1000, free: 1000, "run/step")
    try CheckpointWriter.requireRoom(for: 1000, free: nil, "run/step")
    try Places.withTemporaryFolder { #expect(DurableFiles.freeBytes(at: $0) ?? 0 > 0) }
    #expect(DurableFiles.freeBytes(at: "/nowhere") == nil)
  }

  /// The estimate is not below the written size, nor far above it for larger tensors.
  @Test(arguments: [1, 4], [1, 400_000]) func theEstimateOfBytesHolds(
    shards: Int, count: Int
  ) throws {
    try Places.withTemporaryFolder { folder in
      let tensors = (0..<8).map {
        CheckpointTensor(
          path: "parameters/\($0)", shape: [count], values: Array(repeating: 1, count: count))
      }
      let writer = CheckpointWriter(folder: "\(folder)/step", shards: shards)
      try writer.begin(tensors.entries)
      let files = try (0..<shards).map { try writer.writeShard($0, tensors) }
      var manifest = MutationTests.manifest(files: files)
      manifest.tensors = tensors.map { .init(path: $0.path, shape: $0.shape) }
      try writer.commit(manifest)
      let bytes = try FileManager.default.contentsOfDirectory(atPath: writer.folder)
        .reduce(0) { $0 + (FileStamp("\(writer.folder)/\($1)")?.bytes ?? 0) }
      #expect(writer.bytes(tensors.entries) >= bytes)
      if count > 1 { #expect(writer.bytes(tensors.entries) < bytes + bytes / 10) }
    }
  }

  /// Written by version 0.1.0 before manifests had a checksum of their own.
  @Test func theFirstFormatIsStillRead() throws {
    let reader = try CheckpointReader(Places.fixtures + "/checkpoint-v1")
    #expect(reader.manifest.formatVersion == 1 && reader.manifest.step == 3)
    #expect(try reader.checkedTensors().contains { $0.path == "optimizer/exp_avg/readout.bias" })
  }
}
