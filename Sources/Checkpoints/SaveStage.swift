// SPDX-License-Identifier: Apache-2.0

import Threads

/// The stage of saving a checkpoint. All ranks are at the same stage.
///
///     ready → writing → committing → whole
public enum SaveStage: Sendable {
  /// The result of the thread that writes a shard.
  public struct Shard: Sendable {
    var entry: CheckpointManifest.FileEntry
    /// Only on rank 0.
    var parametersSHA256: String?
  }

  /// Nothing is on the disk yet.
  case ready
  /// Every rank writes its shard.
  case writing(BackgroundJob<Shard>)
  /// All shards are written. Rank 0 writes the manifest and names the checkpoint; the others have
  /// nothing to do.
  case committing(BackgroundJob<Void>?)
  /// The checkpoint is on the disk.
  case whole
}

/// The ranks that save a checkpoint together.
public protocol SavingRanks {
  /// The error that every rank throws if one of them fails.
  associatedtype Failure: Error

  /// Whether this rank is rank 0, which writes the manifest.
  var isRoot: Bool { get }

  /// Runs `body` on every rank. If it throws on any, every rank throws.
  func together<Result>(_ body: () throws -> Result) throws(Failure) -> Result

  /// The values of all ranks, in order, on rank 0; nil on the others.
  func gather(_ own: [UInt8]) throws -> [[UInt8]]?
}
