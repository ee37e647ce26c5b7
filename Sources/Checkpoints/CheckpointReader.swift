import Digests
import Foundation
import HDF5

/// Reads a checkpoint, whatever the number of ranks that wrote it.
public struct CheckpointReader: Sendable {
  public let folder: String
  public let manifest: CheckpointManifest

  private static let cure = "the checkpoint is damaged: use an older one"

  /// Opens a checkpoint folder and reads its manifest.
  public init(_ folder: String) throws(CheckpointError) {
    self.folder = folder
    manifest = try CheckpointManifest(ofCheckpoint: folder)
  }

  /// Compares the size and checksum of shard files with the manifest.
  ///
  /// - Parameter files: which of them; nil is all
  public func verify(files: [Int]? = nil) throws(CheckpointError) {
    for index in files ?? Array(manifest.files.indices) {
      let entry = manifest.files[index]
      let path = "\(folder)/\(entry.name)"
      let attributes = try? FileManager.default.attributesOfItem(atPath: path)
      guard let bytes = attributes?[.size] as? Int else {
        throw CheckpointError(path, "is missing", cure: Self.cure)
      }
      guard bytes == entry.bytes else {
        throw CheckpointError(
          path, "has \(bytes) bytes, the manifest says \(entry.bytes)", cure: Self.cure)
      }
      let sha256: String
      do {
        sha256 = try SHA256Digest.ofFile(path)
      } catch {
        throw CheckpointError(path, "cannot be read (\(error))", cure: Self.cure)
      }
      guard sha256 == entry.sha256 else {
        throw CheckpointError(
          path, "does not have the checksum of the manifest", cure: Self.cure)
      }
    }
  }

  /// Reads whole tensors.
  ///
  /// - Parameter prefix: only those whose path starts so, such as `parameters/`
  public func tensors(under prefix: String = "") throws(CheckpointError) -> [CheckpointTensor] {
    let wanted = manifest.tensors.filter { $0.path.hasPrefix(prefix) }
    var values = wanted.map { [Float](repeating: 0, count: $0.shape.reduce(1, *)) }
    for (shard, entry) in manifest.files.enumerated() {
      let path = "\(folder)/\(entry.name)"
      do {
        let file = try HDF5.File.open(path)
        for (index, tensor) in wanted.enumerated() {
          let rows = CheckpointTensor.rows(
            tensor.shape.first ?? 1, shard: shard, of: manifest.files.count)
          guard !rows.isEmpty else { continue }
          let dataset = try file.dataset(tensor.path)
          let shape = [rows.count] + tensor.shape.dropFirst()
          guard dataset.shape == shape else {
            throw CheckpointError(
              path, "holds \(tensor.path) as \(dataset.shape), expected \(shape)",
              cure: Self.cure)
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
