// SPDX-License-Identifier: Apache-2.0

import Digests
import Files
import HDF5
import Synchronization
import Tensors

/// Reads a checkpoint that any number of ranks wrote.
///
/// A shard file is used, and opened by HDF5, only once its SHA-256 matches the manifest, because
/// the library is not made for damaged files. Every process verifies every file that it reads.
/// Correct bytes on one rank prove nothing about those that another rank gets from its own cache or
/// network. Waiting for another rank would also take longer: hashing a file costs little, because
/// the process reads the same bytes next.
public struct CheckpointReader: Sendable {
  /// The checkpoint's folder.
  public let folder: String
  /// The manifest, verified by its own checksum if it has one.
  public let manifest: CheckpointManifest
  private let verified = VerifiedFiles()
  /// The shard files; nil for one that cannot be opened. Empty if they would come near the limit of
  /// open files.
  private let held: [HeldFile?]

  private static let mostHeld = 128

  private static let cure = "the checkpoint is damaged: use an older one"

  /// Opens a checkpoint folder and reads its manifest.
  public init(_ folder: String) throws(CheckpointError) {
    self.folder = folder
    let manifest = try CheckpointManifest(ofCheckpoint: folder)
    self.manifest = manifest
    held = manifest.files.prefix(manifest.files.count <= Self.mostHeld ? Self.mostHeld : 0).map {
      HeldFile("\(folder)/\($0.name)")
    }
  }

  /// Where to find a shard file: under its name, or, if the entire checkpoint was removed, through
  /// the descriptor that still holds it. If a shard is missing but its manifest is there, the
  /// checkpoint is damaged.
  private func place(of index: Int) -> (path: String, stamp: FileStamp?) {
    let path = "\(folder)/\(manifest.files[index].name)"
    let stamp = FileStamp(path)
    guard stamp == nil, FileStamp("\(folder)/\(CheckpointManifest.fileName)") == nil else {
      return (path, stamp)
    }
    guard held.indices.contains(index), let file = held[index] else { return (path, nil) }
    return (file.path, file.stamp)
  }

  /// Opens a shard file that is verified.
  private func open(file index: Int) throws -> HDF5.File {
    let entry = manifest.files[index]
    let path = "\(folder)/\(entry.name)"
    do {
      return try HDF5.File.open(path)
    } catch {
      // HDF5 cannot open a file without a name.
      let place = place(of: index)
      guard place.path != path,
        let image = try DurableFiles.contents(of: place.path, limit: entry.bytes)
      else { throw error }
      return try HDF5.File.open(image: image, named: path)
    }
  }

  /// Compares the size and checksum of every shard file with the manifest.
  public func verify() throws(CheckpointError) {
    for index in manifest.files.indices { try verify(file: index) }
  }

  private func verify(file index: Int) throws(CheckpointError) {
    let entry = manifest.files[index]
    let path = "\(folder)/\(entry.name)"
    let place = place(of: index)
    guard let stamp = place.stamp else {
      throw CheckpointError(path, "is missing", cure: Self.cure)
    }
    guard stamp.isRegular else {
      throw CheckpointError(path, "is not an ordinary file", cure: Self.cure)
    }
    guard stamp.bytes == entry.bytes else {
      throw CheckpointError(
        path, "has \(stamp.bytes) bytes, the manifest says \(entry.bytes)", cure: Self.cure)
    }
    guard !verified.contains(index, stamp) else { return }
    let sha256: String
    do {
      sha256 = try SHA256Digest.ofFile(place.path)
    } catch {
      throw CheckpointError(path, "cannot be read (\(error))", cure: Self.cure)
    }
    guard sha256 == entry.sha256 else {
      throw CheckpointError(
        path, "does not match its checksum in the manifest", cure: Self.cure)
    }
    verified.insert(index, stamp)
  }

  /// Reads all tensors and compares the checksum of the parameters with the manifest.
  ///
  /// - Parameter group: a group to leave out, such as `optimizer/`, which is read separately
  public func checkedTensors(
    leavingOut group: String? = nil
  ) throws(CheckpointError) -> [CheckpointTensor] {
    let tensors = try tensors { path in group.map { !path.hasPrefix($0) } ?? true }
    guard ParametersDigest.sha256(ofCheckpoint: tensors) == manifest.parametersSHA256 else {
      throw CheckpointError(
        folder, "holds parameters that do not have the checksum of the manifest", cure: Self.cure)
    }
    return tensors
  }

  /// Reads whole tensors, from files that are verified first.
  ///
  /// - Parameter prefix: only tensors whose path starts with this, such as `parameters/`
  public func tensors(under prefix: String = "") throws(CheckpointError) -> [CheckpointTensor] {
    try tensors { $0.hasPrefix(prefix) }
  }

  private func tensors(
    where isWanted: (_ path: String) -> Bool
  ) throws(CheckpointError) -> [CheckpointTensor] {
    // All files are verified before memory is allocated, because the shapes may be wrong.
    try verify()
    let wanted = manifest.tensors.filter { isWanted($0.path) }
    var values = wanted.map { [Float](repeating: 0, count: $0.shape.reduce(1, *)) }
    for (shard, entry) in manifest.files.enumerated() {
      let path = "\(folder)/\(entry.name)"
      try verify(file: shard)
      do {
        let file = try open(file: shard)
        for (index, tensor) in wanted.enumerated() {
          let rows = RowSlice(shard, of: manifest.files.count).rows(of: tensor.shape)
          guard !rows.isEmpty else { continue }
          let dataset = try file.dataset(tensor.path)
          try dataset.requireStored()
          let shape = [rows.count] + tensor.shape.dropFirst()
          guard dataset.shape == shape, dataset.elementType == .float32 else {
            throw CheckpointError(
              path,
              "holds \(tensor.path) as \(dataset.elementType) \(dataset.shape),"
                + " expected float32 \(shape)", cure: Self.cure)
          }
          let width = tensor.shape.dropFirst().reduce(1, *)
          values[index].replaceSubrange(
            rows.lowerBound * width..<rows.upperBound * width,
            with: try dataset.read(as: Float.self))
        }
      } catch let error as CheckpointError {
        throw error
      } catch {
        throw CheckpointError(path, "cannot be read (\(error))", cure: Self.cure)
      }
    }
    return zip(wanted, values).map {
      CheckpointTensor(path: $0.path, shape: $0.shape, values: $1)
    }
  }
}

/// Which shard files have the checksum of the manifest, and their state at that time.
private final class VerifiedFiles: Sendable {
  private let stamps = Mutex<[Int: FileStamp]>([:])

  func insert(_ index: Int, _ stamp: FileStamp) {
    stamps.withLock { $0[index] = stamp }
  }

  func contains(_ index: Int, _ stamp: FileStamp) -> Bool {
    stamps.withLock { $0[index] == stamp }
  }
}
