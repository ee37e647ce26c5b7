// SPDX-License-Identifier: Apache-2.0

import Files
import Foundation
import Tensors
import TestSupport
import Testing

@testable import Checkpoints

@Suite struct SaveStageTests {
  /// One rank, which agrees with itself.
  private struct Alone: SavingRanks {
    typealias Failure = any Error
    let isRoot = true
    func together<Result>(_ body: () throws -> Result) throws(any Error) -> Result { try body() }
    func gather(_ own: [UInt8]) throws -> [[UInt8]]? { [own] }
  }

  private struct Injected: Error {}

  private func save(
    in folder: String, hooks: BackgroundSave.Hooks = .init()
  ) -> BackgroundSave {
    let snapshot = CheckpointSnapshot(shard: 0, of: 1)
    snapshot.copy(
      CheckpointTests.tensors.map {
        LiveTensor(path: $0.path, tensor: Tensor($0.values, shape: $0.shape))
      })
    let manifest = CheckpointManifest(
      step: 3, epoch: 1, batch: 2, parameterCount: 17,
      optimizer: .init(name: "adam", stepCount: 3), progress: [:], tensors: snapshot.entries,
      files: [], configuration: "seed: 1\n",
      machine: .init(
        precision: "float32", kernels: "reference", blasCore: "none", virtualShards: 1, ranks: 1,
        program: "test"))
    return BackgroundSave(to: "\(folder)/step", manifest, of: snapshot, hooks: hooks)
  }

  @Test func aSaveGoesThroughItsStages() throws {
    try Places.withTemporaryFolder { folder -> Void in
      let save = save(in: folder)
      guard case .ready = save.stage else {
        Issue.record("not ready")
        return
      }
      #expect(save.isIdle)
      try save.start(on: Alone())
      guard case .writing = save.stage else {
        Issue.record("not writing")
        return
      }
      save.wait()
      #expect(save.isIdle)
      #expect(try !save.advance(on: Alone()))
      guard case .committing = save.stage else {
        Issue.record("not committing")
        return
      }
      save.wait()
      #expect(try save.advance(on: Alone()))
      guard case .whole = save.stage else {
        Issue.record("not whole")
        return
      }
      let reader = try CheckpointReader("\(folder)/step")
      try reader.verify()
      #expect(reader.manifest.step == 3 && reader.manifest.files.count == 1)
      #expect(try reader.tensors().map(\.values) == CheckpointTests.tensors.map(\.values))
    }
  }

  /// A failure at any stage is thrown, and leaves nothing behind.
  @Test(arguments: 0..<2) func aSaveThatFailsLeavesNothing(stage: Int) throws {
    try Places.withTemporaryFolder { folder in
      let save = save(
        in: folder,
        hooks: .init(
          before: { if stage == 0 { throw Injected() } },
          beforeCommit: { if stage == 1 { throw Injected() } }))
      #expect(throws: Injected.self) {
        try save.start(on: Alone())
        save.wait()
        _ = try save.advance(on: Alone())
        save.wait()
        _ = try save.advance(on: Alone())
      }
      let left = try FileManager.default.contentsOfDirectory(atPath: folder)
      #expect(left == [])
    }
  }
}
