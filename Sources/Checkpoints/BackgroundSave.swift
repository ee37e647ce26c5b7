// SPDX-License-Identifier: Apache-2.0

import Files
import Foundation
import HDF5
import Threads

/// A checkpoint that is being saved. Threads write a snapshot, and after each stage the ranks agree
/// that it succeeded on all of them.
///
///     rank 0          start → write its shard → view, manifest, names, pruning
///     the others              write their shard
///
/// All ranks call `start`, and then `advance` whenever every rank `isIdle`, until the checkpoint is
/// complete. The threads never call MPI.
public final class BackgroundSave {
  /// What rank 0 does before and after it writes the checkpoint.
  public struct Hooks: Sendable {
    var before: @Sendable () throws -> Void
    var beforeCommit: @Sendable () throws -> Void
    var after: @Sendable () throws -> Void

    /// - Parameters:
    ///   - before: runs before anything is written, on the calling thread
    ///   - beforeCommit: runs when all shards are written, on a background thread
    ///   - after: runs when the checkpoint is complete, on a background thread
    public init(
      before: @escaping @Sendable () throws -> Void = {},
      beforeCommit: @escaping @Sendable () throws -> Void = {},
      after: @escaping @Sendable () throws -> Void = {}
    ) {
      self.before = before
      self.beforeCommit = beforeCommit
      self.after = after
    }
  }

  /// The step of the checkpoint.
  public var step: Int { manifest.step }
  /// The current stage of the save.
  public private(set) var stage = SaveStage.ready
  private let writer: CheckpointWriter
  private let snapshot: CheckpointSnapshot
  private let manifest: CheckpointManifest
  private let hooks: Hooks

  /// - Parameters:
  ///   - folder: the checkpoint's folder, which does not exist yet
  ///   - manifest: everything about the checkpoint except its files and their checksums
  ///   - snapshot: the state to write; nothing may change it before the checkpoint is complete
  ///   - hooks: what rank 0 does before and after it writes
  public init(
    to folder: String, _ manifest: CheckpointManifest, of snapshot: CheckpointSnapshot,
    hooks: Hooks = Hooks()
  ) {
    writer = CheckpointWriter(folder: folder, shards: snapshot.shards)
    self.manifest = manifest
    self.snapshot = snapshot
    self.hooks = hooks
  }

  /// Creates the temporary folder and starts to write this rank's shard.
  public func start<Ranks: SavingRanks>(on ranks: Ranks) throws(Ranks.Failure) {
    let (writer, snapshot) = (writer, snapshot)
    do throws(Ranks.Failure) {
      try ranks.together {
        guard ranks.isRoot else { return }
        try hooks.before()
        try writer.begin(snapshot.entries)
      }
    } catch {
      if ranks.isRoot { writer.abandon() }
      throw error
    }
    stage = .writing(
      BackgroundJob("checkpoint", inPlace: !HDF5Library.isThreadSafe) {
        SaveStage.Shard(
          entry: try writer.write(snapshot),
          parametersSHA256: snapshot.shard == 0 ? snapshot.parametersSHA256() : nil)
      })
  }

  /// Whether no thread of this rank is at work.
  public var isIdle: Bool {
    switch stage {
    case .ready, .whole: true
    case .writing(let job): job.isDone
    case .committing(let job): job?.isDone ?? true
    }
  }

  /// Waits until no thread of this rank is at work, regardless of the outcome.
  public func wait() {
    switch stage {
    case .ready, .whole: break
    case .writing(let job): job.wait()
    case .committing(let job): job?.wait()
    }
  }

  /// Starts the next stage. All ranks call this when it is idle on all of them. If it throws,
  /// nothing of the checkpoint is left.
  ///
  /// - Returns: whether the checkpoint is complete
  public func advance<Ranks: SavingRanks>(on ranks: Ranks) throws(Ranks.Failure) -> Bool {
    do throws(Ranks.Failure) {
      switch stage {
      case .ready: preconditionFailure("advance() before start()")
      case .writing(let job): stage = .committing(try commit(job, on: ranks))
      case .committing(let job):
        try ranks.together { try job?.result() }
        stage = .whole
      case .whole: break
      }
    } catch {
      if ranks.isRoot { writer.abandon() }
      throw error
    }
    if case .whole = stage { return true }
    return false
  }

  /// Gathers the shards' entries on rank 0, where a thread then completes the checkpoint.
  private func commit<Ranks: SavingRanks>(
    _ job: BackgroundJob<SaveStage.Shard>, on ranks: Ranks
  ) throws(Ranks.Failure) -> BackgroundJob<Void>? {
    let shard = try ranks.together { try job.result() }
    let entries = try ranks.together { try ranks.gather(Array(JSONEncoder().encode(shard.entry))) }
    return try ranks.together {
      guard let entries, let sha256 = shard.parametersSHA256 else { return nil }
      var manifest = manifest
      manifest.files = try entries.map {
        try JSONDecoder().decode(CheckpointManifest.FileEntry.self, from: Data($0))
      }
      manifest.parametersSHA256 = sha256
      let (writer, hooks, complete) = (writer, hooks, manifest)
      return BackgroundJob("checkpoint", inPlace: !HDF5Library.isThreadSafe) {
        try hooks.beforeCommit()
        try writer.commit(complete)
        try hooks.after()
      }
    }
  }
}
