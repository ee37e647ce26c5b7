import HDF5
import Threads

/// One rank's part in saving a checkpoint: threads write what a snapshot holds, and between their
/// pieces of work the ranks agree that all went well.
///
///     rank 0          begin → write its shard → commit: view, manifest, names, pruning
///     the others              write their shard
///
/// The caller takes the step from one to the next when every rank `isIdle`. Nothing here calls
/// MPI.
public final class BackgroundSave {
  /// The step of the checkpoint.
  public let step: Int
  public let writer: CheckpointWriter
  private let snapshot: CheckpointSnapshot
  private var writing: BackgroundJob<Receipt>?
  private var committing: BackgroundJob<Void>?

  /// What the thread that writes a shard brings back.
  private struct Receipt: Sendable {
    var entry: CheckpointManifest.FileEntry
    /// Of rank 0 only.
    var parametersSHA256: String?
  }

  /// - Parameter snapshot: what is written; nobody may change it before the save `isDone`
  public init(step: Int, writer: CheckpointWriter, snapshot: CheckpointSnapshot) {
    self.step = step
    self.writer = writer
    self.snapshot = snapshot
  }

  /// Starts to write this rank's shard.
  public func start() {
    let (writer, snapshot) = (writer, snapshot)
    writing = BackgroundJob("checkpoint", inPlace: !HDF5Library.isThreadSafe) {
      let entry = try writer.write(snapshot)
      return Receipt(
        entry: entry,
        parametersSHA256: snapshot.shard == 0 ? snapshot.parametersSHA256() : nil)
    }
  }

  /// Whether no thread of this rank is at work.
  public var isIdle: Bool { (writing?.isDone ?? true) && (committing?.isDone ?? true) }

  /// Whether the shards are being written, and nothing is committed yet.
  public var isWriting: Bool { committing == nil && !isCommitted }

  /// Whether the step to committing is taken.
  private var isCommitted = false

  /// The entry of this rank's shard for the manifest.
  ///
  /// - Throws: `CheckpointError` of writing it
  public func entry() throws -> CheckpointManifest.FileEntry {
    try writing!.result().entry
  }

  /// Notes that all shards are written. On rank 0, starts to write the manifest and to give the
  /// checkpoint its name.
  ///
  /// - Parameters:
  ///   - manifest: on rank 0, without the parameters' checksum
  ///   - prepare: what comes before the commit on the thread of rank 0
  ///   - finish: what comes after that on the thread of rank 0, such as pruning
  public func commit(
    _ manifest: CheckpointManifest?, after prepare: @escaping @Sendable () throws -> Void = {},
    then finish: @escaping @Sendable () throws -> Void
  ) throws {
    isCommitted = true
    guard var manifest, let sha256 = try writing?.result().parametersSHA256 else { return }
    manifest.parametersSHA256 = sha256
    let (writer, complete) = (writer, manifest)
    committing = BackgroundJob("checkpoint", inPlace: !HDF5Library.isThreadSafe) {
      try prepare()
      try writer.commit(complete)
      try finish()
    }
  }

  /// Throws what the thread of rank 0 threw while committing.
  public func checkCommit() throws { try committing?.result() }

  /// Waits until no thread of this rank is at work, however the work ends.
  public func wait() {
    writing?.wait()
    committing?.wait()
  }
}
