// SPDX-License-Identifier: Apache-2.0

import Digests
import Files
import Foundation
import HDF5
import Tensors

/// Writes one checkpoint in a temporary folder, which becomes the checkpoint when everything in it
/// is on the disk. Each rank writes its own shard file.
///
/// Rank 0 calls `begin`, then every rank `write`, then rank 0 `commit`. After each call the ranks
/// agree that it succeeded everywhere; if not, rank 0 calls `abandon`.
public struct CheckpointWriter: Sendable {
  /// The checkpoint's folder, which does not exist yet.
  public let folder: String
  /// The number of shard files.
  public let shards: Int

  private var temporary: String { folder + RunFolder.partialSuffix }

  public init(folder: String, shards: Int) {
    self.folder = folder
    self.shards = shards
  }

  /// The name of the file that shows the whole tensors.
  static let viewName = "checkpoint.h5"

  /// The name of a shard file.
  public static func shardName(_ shard: Int, of shards: Int) -> String {
    func padded(_ number: Int) -> String {
      let text = String(number)
      return String(repeating: "0", count: max(0, 5 - text.count)) + text
    }
    return "shard-\(padded(shard))-of-\(padded(shards)).h5"
  }

  /// Creates the temporary folder and removes what a killed run left there. Throws if the disk has
  /// too little space for the tensors.
  ///
  /// - Parameter tensors: the tensors that will be written
  public func begin(_ tensors: [CheckpointManifest.TensorEntry] = []) throws(CheckpointError) {
    do {
      DurableFiles.remove(temporary)
      let parent = DurableFiles.parent(of: folder)
      try DurableFiles.createFolder(parent)
      try Self.requireRoom(
        for: bytes(tensors), free: DurableFiles.freeBytes(at: parent), folder)
      try DurableFiles.createNewFolder(temporary)
      try Failpoint.checkpointBegin.pass(temporary)
    } catch let error as CheckpointError {
      throw error
    } catch {
      throw .unwritable(folder, error)
    }
  }

  /// An estimate of the checkpoint's size on the disk: the numbers, in HDF5's chunks of at most
  /// 1 MiB, of which the last ones are not full, and HDF5's own structures.
  func bytes(_ tensors: [CheckpointManifest.TensorEntry]) -> Int {
    func up(_ count: Int, toMultipleOf unit: Int) -> Int { (count + unit - 1) / unit * unit }
    let chunk = Self.pieceBytes
    var sum = (shards + 1) * (1 << 12 + tensors.count << 11)
    for tensor in tensors {
      let rowBytes = tensor.shape.dropFirst().reduce(MemoryLayout<Float>.size, *)
      for shard in 0..<shards {
        let rows = RowSlice(shard, of: shards).rows(of: tensor.shape).count
        sum +=
          rows * rowBytes <= chunk
          ? rows * rowBytes
          : rowBytes > chunk
            ? rows * up(rowBytes, toMultipleOf: chunk)
            : up(rows, toMultipleOf: chunk / max(rowBytes, 1)) * rowBytes
      }
    }
    return sum + sum / 64
  }

  static func requireRoom(for bytes: Int, free: Int?, _ folder: String) throws(CheckpointError) {
    guard let free, free < bytes else { return }
    throw CheckpointError(
      folder, "needs \(bytes) bytes on the disk, but only \(free) are free",
      cure: "make room, or keep fewer checkpoints (checkpoint.keep_last)", isDiskFailure: true)
  }

  /// Writes the file of one shard and waits for the disk.
  ///
  /// Tensors are written a megabyte at a time, because HDF5 has one lock for the whole process, and
  /// training that reads its data through HDF5 must not wait long.
  ///
  /// - Returns: the entry of the file for the manifest
  public func write(
    _ snapshot: CheckpointSnapshot
  ) throws(CheckpointError) -> CheckpointManifest.FileEntry {
    precondition(snapshot.shards == shards, "\(snapshot.shards) shards, expected \(shards)")
    let name = Self.shardName(snapshot.shard, of: shards)
    let path = "\(temporary)/\(name)"
    do {
      let file = try HDF5.File.create(path)
      try Failpoint.checkpointShardCreate.pass(path)
      try file.setAttribute("format_version", CheckpointManifest.currentFormatVersion)
      for (index, slice) in snapshot.slices.enumerated() {
        if index == snapshot.slices.count / 2 { try Failpoint.checkpointShardWrite.pass(path) }
        if !slice.rows.isEmpty { try Self.write(slice, to: file) }
      }
      try Failpoint.checkpointShardClose.pass(path)
      try file.flush()
      try file.close()
      try Failpoint.checkpointShardSync.pass(path)
      try DurableFiles.synchronize(path)
      return CheckpointManifest.FileEntry(
        name: name, bytes: FileStamp(path)?.bytes ?? 0,
        sha256: try SHA256Digest.ofFile(path))
    } catch {
      throw .unwritable(path, error)
    }
  }

  private static func write(_ slice: CheckpointSnapshot.Slice, to file: HDF5.File) throws {
    let inner = Array(slice.shape.dropFirst())
    let shape = [slice.rows.count] + inner
    let dataset = try file.createDataset(
      slice.path, of: Float.self, shape: shape, fletcher32: true)
    let width = inner.reduce(1, *)
    let rows = max(1, Self.pieceBytes / MemoryLayout<Float>.size / max(width, 1))
    for start in stride(from: 0, to: shape[0], by: rows) {
      let count = min(rows, shape[0] - start)
      try slice.shardValues.elements(start * width..<(start + count) * width).withSpan {
        try dataset.write(
          $0, at: [start] + inner.map { _ in 0 }, count: [count] + inner)
      }
    }
  }

  /// The largest number of bytes that are written at once, and the size of HDF5's chunks.
  private static let pieceBytes = 1 << 20

  /// Writes the view and the manifest, and gives the folder its name.
  public func commit(_ manifest: CheckpointManifest) throws(CheckpointError) {
    do {
      try writeView(manifest)
      let path = "\(temporary)/\(CheckpointManifest.fileName)"
      try Failpoint.checkpointManifest.pass(path)
      try DurableFiles.write(try manifest.json(), to: path)
      try DurableFiles.synchronize(temporary)
      try takeName()
    } catch {
      throw .unwritable(folder, error)
    }
  }

  /// Renames the temporary folder, which is complete, to the checkpoint's name.
  ///
  /// If the same step was saved before, the old checkpoint has another name between the two
  /// renames. `RunFolder` finds it under that name if the run is killed at that moment.
  private func takeName() throws(FileError) {
    let old = folder + RunFolder.replacedSuffix
    let parent = DurableFiles.parent(of: folder)
    let replaces = FileManager.default.fileExists(atPath: folder)
    if replaces {
      DurableFiles.remove(old)
      try DurableFiles.rename(folder, to: old)
    }
    do throws(FileError) {
      try Failpoint.checkpointRename.pass(folder)
      try DurableFiles.rename(temporary, to: folder)
    } catch {
      if replaces { try DurableFiles.rename(old, to: folder) }
      throw error
    }
    try DurableFiles.synchronize(parent)
    if replaces { DurableFiles.remove(old) }
  }

  /// Removes the unfinished checkpoint.
  public func abandon() {
    DurableFiles.remove(temporary)
  }

  /// Writes `checkpoint.h5`, which shows the whole tensors to h5py and h5dump. This program never
  /// reads it, because such a view silently reads as zeros if a shard is missing.
  private func writeView(_ manifest: CheckpointManifest) throws {
    let path = "\(temporary)/\(Self.viewName)"
    let file = try HDF5.File.create(path)
    try Failpoint.checkpointView.pass(path)
    try file.setAttribute("step", manifest.step)
    try file.setAttribute("parameters_sha256", manifest.parametersSHA256)
    for tensor in manifest.tensors {
      let sources = (0..<shards).compactMap { shard -> VirtualSource? in
        let rows = RowSlice(shard, of: shards).rows(of: tensor.shape)
        guard !rows.isEmpty else { return nil }
        return VirtualSource(
          file: Self.shardName(shard, of: shards), dataset: tensor.path,
          shape: [rows.count] + tensor.shape.dropFirst(),
          offset: [rows.lowerBound] + tensor.shape.dropFirst().map { _ in 0 })
      }
      try file.createVirtualDataset(
        tensor.path, of: Float.self, shape: tensor.shape, sources: sources)
    }
    try file.flush()
    try file.close()
    try DurableFiles.synchronize(path)
  }
}
