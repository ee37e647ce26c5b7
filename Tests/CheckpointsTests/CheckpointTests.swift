// SPDX-License-Identifier: Apache-2.0

import Foundation
import HDF5
import TestSupport
import Testing

@testable import Checkpoints

@Suite struct CheckpointTests {
  static let tensors = [
    CheckpointTensor(
      path: "parameters/a", shape: [5, 3], values: (0..<15).map { Float($0) * 0.1 }),
    CheckpointTensor(path: "parameters/b", shape: [2], values: [-1, 1e-30]),
    CheckpointTensor(path: "optimizer/m/a", shape: [5, 3], values: Array(repeating: 7, count: 15)),
  ]

  /// Writes a checkpoint as `shards` ranks would.
  static func write(_ folder: String, step: Int = 3, shards: Int, best: Int? = nil) throws {
    let writer = CheckpointWriter(folder: folder, shards: shards)
    try writer.begin()
    let files = try (0..<shards).map { try writer.writeShard($0, tensors) }
    try writer.commit(
      CheckpointManifest(
        step: step, epoch: 1, batch: 2, parameterCount: 17, parametersSHA256: "x",
        optimizer: .init(name: "adam", stepCount: step),
        progress: best.map { [CheckpointManifest.bestStepKey: Double($0)] } ?? ["best": 0.1],
        tensors: tensors.map { .init(path: $0.path, shape: $0.shape) }, files: files,
        configuration: "seed: 1\n",
        machine: .init(
          precision: "float32", kernels: "reference", blasCore: "none", virtualShards: 8,
          ranks: shards, program: "test")))
  }

  /// Any number of ranks writes and any number reads, also more ranks than rows.
  @Test(arguments: [1, 2, 3, 8]) func readsBackTheSameNumbers(shards: Int) throws {
    try Places.withTemporaryFolder { folder in
      try Self.write("\(folder)/step", shards: shards)
      let reader = try CheckpointReader("\(folder)/step")
      try reader.verify()
      let read = try reader.tensors()
      #expect(read.map(\.path) == Self.tensors.map(\.path))
      for (a, b) in zip(read, Self.tensors) {
        #expect(a.values.map(\.bitPattern) == b.values.map(\.bitPattern) && a.shape == b.shape)
      }
      #expect(reader.manifest.progress == ["best": 0.1])
      #expect(try reader.tensors(under: "parameters/").count == 2)
    }
  }

  @Test func theViewShowsWholeTensors() throws {
    try Places.withTemporaryFolder { folder in
      try Self.write("\(folder)/step", shards: 3)
      let view = try HDF5.File.open("\(folder)/step/checkpoint.h5")
      let a = try view.dataset("parameters/a")
      #expect(a.shape == [5, 3])
      #expect(try a.read(as: Float.self) == Self.tensors[0].values)
    }
  }

  @Test func damageIsFoundByName() throws {
    try Places.withTemporaryFolder { folder in
      try Self.write("\(folder)/step", shards: 2)
      let shard = "\(folder)/step/\(CheckpointWriter.shardName(1, of: 2))"
      let good = try Data(contentsOf: URL(fileURLWithPath: shard))
      let reader = try CheckpointReader("\(folder)/step")
      func problem() -> String? {
        do {
          try reader.verify()
          return nil
        } catch {
          return error.description
        }
      }
      var flipped = good
      flipped[good.count / 2] ^= 1
      try flipped.write(to: URL(fileURLWithPath: shard))
      #expect(problem()?.contains("checksum in the manifest") == true)
      try good.dropLast().write(to: URL(fileURLWithPath: shard))
      #expect(problem()?.contains("bytes, the manifest says") == true)
      try FileManager.default.removeItem(atPath: shard)
      #expect(problem()?.contains("is missing") == true)
      try Data("{\"format\": 3".utf8).write(
        to: URL(fileURLWithPath: "\(folder)/step/manifest.json"))
      #expect(throws: CheckpointError.self) { try CheckpointReader("\(folder)/step") }
    }
  }

  @Test func aManifestCannotLeadOutOfItsFolder() throws {
    try Places.withTemporaryFolder { folder in
      try Self.write("\(folder)/step", shards: 1)
      let path = "\(folder)/step/manifest.json"
      let text = try String(contentsOfFile: path, encoding: .utf8)
      for (old, new) in [
        ("\"shard-", "\"../shard-"), ("5,\n", "-5,\n"), ("5,\n", "1099511627776,\n"),
      ] {
        try text.replacingOccurrences(of: old, with: new).write(
          toFile: path, atomically: true, encoding: .utf8)
        #expect(throws: CheckpointError.self) { try CheckpointReader("\(folder)/step") }
      }
    }
  }

  @Test func aRunFolderKnowsItsCheckpoints() throws {
    try Places.withTemporaryFolder { folder in
      let run = RunFolder(folder)
      try FileManager.default.createDirectory(
        atPath: run.checkpoints, withIntermediateDirectories: true)
      for step in [10, 20, 30, 40] {
        try Self.write(
          run.checkpoint(step: step), step: step, shards: 1, best: step == 40 ? 10 : nil)
      }
      // A kill may leave a folder without a manifest: it does not count.
      try FileManager.default.createDirectory(
        atPath: run.checkpoint(step: 50), withIntermediateDirectories: true)
      try run.setLatest(step: 30)
      try run.setLatest(step: 40)
      #expect(run.savedSteps() == [10, 20, 30, 40])
      #expect(RunFolder.candidates(at: folder).first == run.checkpoint(step: 40))
      #expect(try CheckpointManifest(ofCheckpoint: "\(run.checkpoints)/latest").step == 40)
      try run.prune(keepingLast: 2)
      #expect(run.savedSteps() == [10, 30, 40])
    }
  }
}
