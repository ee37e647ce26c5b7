import Digests
import Files
import Foundation
import HDF5

/// Writes one checkpoint, each rank its shard file, in a temporary folder that becomes the
/// checkpoint when everything in it is on the disk.
///
/// The order on all ranks: rank 0 `begin`, every rank `writeShard`, rank 0 `commit`. Between them
/// the caller lets the ranks agree that all went well; where it did not, rank 0 calls `abandon`.
public struct CheckpointWriter: Sendable {
  /// The folder that the checkpoint will be.
  public let folder: String
  /// The number of shard files.
  public let shards: Int

  private var temporary: String { folder + ".partial" }

  public init(folder: String, shards: Int) {
    self.folder = folder
    self.shards = shards
  }

  /// The name of a shard file.
  public static func shardName(_ shard: Int, of shards: Int) -> String {
    func padded(_ number: Int) -> String {
      let text = String(number)
      return String(repeating: "0", count: max(0, 5 - text.count)) + text
    }
    return "shard-\(padded(shard))-of-\(padded(shards)).h5"
  }

  /// Makes the temporary folder, removing what a killed run left in its place.
  public func begin() throws(CheckpointError) {
    do {
      DurableFiles.remove(temporary)
      try DurableFiles.createFolder(temporary)
    } catch {
      throw .unwritable(folder, error)
    }
  }

  /// Writes this shard's slice of every tensor and waits for the disk.
  ///
  /// - Returns: the entry of the file for the manifest
  public func writeShard(
    _ shard: Int, _ tensors: [CheckpointTensor]
  ) throws(CheckpointError) -> CheckpointManifest.FileEntry {
    let name = Self.shardName(shard, of: shards)
    let path = "\(temporary)/\(name)"
    do {
      let file = try HDF5.File.create(path)
      try file.setAttribute("format_version", CheckpointManifest.currentFormatVersion)
      for tensor in tensors {
        let rows = CheckpointTensor.rows(tensor.shape.first ?? 1, shard: shard, of: shards)
        guard !rows.isEmpty else { continue }
        let width = tensor.shape.dropFirst().reduce(1, *)
        try file.write(
          Array(tensor.values[rows.lowerBound * width..<rows.upperBound * width]),
          to: tensor.path, shape: [rows.count] + tensor.shape.dropFirst(), fletcher32: true)
      }
      try file.flush()
      try file.close()
      try DurableFiles.synchronize(path)
      let attributes = try FileManager.default.attributesOfItem(atPath: path)
      return CheckpointManifest.FileEntry(
        name: name, bytes: (attributes[.size] as? Int) ?? 0,
        sha256: try SHA256Digest.ofFile(path))
    } catch {
      throw .unwritable(path, error)
    }
  }

  /// Writes the view and the manifest, and gives the folder its name.
  public func commit(_ manifest: CheckpointManifest) throws(CheckpointError) {
    do {
      try writeView(manifest)
      try DurableFiles.write(
        try manifest.json(), to: "\(temporary)/\(CheckpointManifest.fileName)")
      try DurableFiles.synchronize(temporary)
      if FileManager.default.fileExists(atPath: folder) {
        // The same step saved twice: the old one makes room only now that the new one is whole.
        let old = folder + ".replaced"
        DurableFiles.remove(old)
        try DurableFiles.rename(folder, to: old)
        try DurableFiles.rename(temporary, to: folder)
        DurableFiles.remove(old)
      } else {
        try DurableFiles.rename(temporary, to: folder)
      }
      try DurableFiles.synchronize(DurableFiles.parent(of: folder))
    } catch {
      throw .unwritable(folder, error)
    }
  }

  /// Removes what was begun.
  public func abandon() {
    DurableFiles.remove(temporary)
  }

  /// Writes `checkpoint.h5`, which shows the whole tensors to h5py and h5dump. We never read it:
  /// where a shard is missing, such a view quietly reads as zeros.
  private func writeView(_ manifest: CheckpointManifest) throws {
    let path = "\(temporary)/checkpoint.h5"
    let file = try HDF5.File.create(path)
    try file.setAttribute("step", manifest.step)
    try file.setAttribute("parameters_sha256", manifest.parametersSHA256)
    for tensor in manifest.tensors {
      let extent = tensor.shape.first ?? 1
      let sources = (0..<shards).compactMap { shard -> VirtualSource? in
        let rows = CheckpointTensor.rows(extent, shard: shard, of: shards)
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
