// SPDX-License-Identifier: Apache-2.0

import Files
import Foundation

/// Writes tensors in the format of safetensors (huggingface.co/docs/safetensors): eight bytes of
/// length, a JSON header with type, shape and place of each tensor, then the numbers, little-endian
/// and row-major.
public enum SafetensorsFile {
  /// Writes a file under a temporary name, and renames it when it is complete.
  ///
  /// - Parameters:
  ///   - tensors: the tensors to write, under their paths
  ///   - metadata: texts by name, for the key `__metadata__`
  ///   - path: the file
  public static func write(
    _ tensors: [CheckpointTensor], metadata: [String: String], to path: String
  ) throws(CheckpointError) {
    do {
      try DurableFiles.createFolder(DurableFiles.parent(of: path))
      let header = try header(tensors, metadata)
      try DurableFiles.replace(path) { (file) throws(FileError) in
        try file.write(header)
        for tensor in tensors { try file.write(littleEndian(tensor.values)) }
      }
    } catch {
      throw .unwritable(path, error)
    }
  }

  /// The length and the header, padded with spaces so that the numbers begin at a multiple of 8.
  private static func header(
    _ tensors: [CheckpointTensor], _ metadata: [String: String]
  ) throws -> Data {
    var object: [String: Any] = ["__metadata__": metadata]
    var start = 0
    for tensor in tensors {
      let end = start + tensor.values.count * MemoryLayout<Float>.size
      object[tensor.path] = [
        "dtype": "F32", "shape": tensor.shape, "data_offsets": [start, end],
      ]
      start = end
    }
    var json = try JSONSerialization.data(
      withJSONObject: object, options: [.sortedKeys, .withoutEscapingSlashes])
    json.append(contentsOf: [UInt8](repeating: 0x20, count: (8 - json.count % 8) % 8))
    let length = (0..<8).map { UInt8(truncatingIfNeeded: json.count >> (8 * $0)) }
    return Data(length) + json
  }

  /// The bytes of the numbers, four for each.
  package static func littleEndian(_ values: [Float]) -> Data {
    var bytes = Data(capacity: values.count * MemoryLayout<Float>.size)
    for value in values {
      let bits = value.bitPattern
      for shift in [0, 8, 16, 24] as [UInt32] {
        bytes.append(UInt8(truncatingIfNeeded: bits >> shift))
      }
    }
    return bytes
  }
}
