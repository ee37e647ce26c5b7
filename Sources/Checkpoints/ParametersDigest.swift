// SPDX-License-Identifier: Apache-2.0

import Digests

/// A checksum of a model's parameters that shows whether two runs ended with the same bits.
///
/// SHA-256 over, for each parameter in the order of the model: its name, a zero byte, its shape in
/// decimal with commas, a zero byte, and its elements as little-endian float32 in row-major
/// order. It does not depend on how a checkpoint was cut into files.
public enum ParametersDigest {
  /// The groups of a checkpoint that are hashed, in this order.
  static let groups = ["parameters/", "buffers/"]

  /// The checksum of a checkpoint's tensors: its parameters, then its buffers.
  public static func sha256(ofCheckpoint tensors: [CheckpointTensor]) -> String {
    sha256(
      groups.flatMap { group in
        tensors.filter { $0.path.hasPrefix(group) }.map {
          CheckpointTensor(
            path: String($0.path.dropFirst(group.count)), shape: $0.shape, values: $0.values)
        }
      })
  }

  /// The digest of parameters in the order given, in hexadecimal.
  public static func sha256(_ parameters: [CheckpointTensor]) -> String {
    let digest = SHA256Digest()
    for parameter in parameters {
      add(parameter.path, parameter.shape, to: digest)
      digest.update(parameter.values.span)
    }
    return digest.finalize()
  }

  /// The same for a copy that holds whole parameters and buffers.
  static func sha256(of slices: [CheckpointSnapshot.Slice]) -> String {
    let digest = SHA256Digest()
    for group in groups {
      for slice in slices where slice.path.hasPrefix(group) {
        add(String(slice.path.dropFirst(group.count)), slice.shape, to: digest)
        slice.values.withSpan { digest.update($0) }
      }
    }
    return digest.finalize()
  }

  private static func add(_ name: String, _ shape: [Int], to digest: SHA256Digest) {
    digest.update(name + "\0")
    digest.update(shape.map(String.init).joined(separator: ",") + "\0")
  }
}
