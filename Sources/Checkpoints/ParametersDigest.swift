import Digests

/// A checksum of a model's parameters that says whether two runs ended with the same bits.
///
/// SHA-256 over, for each parameter in the order of the model: its name, a zero byte, its shape in
/// decimal with commas, a zero byte, and its elements as little-endian float32 in row-major
/// order. It does not depend on how a checkpoint was cut into files.
public enum ParametersDigest {
  /// The checksum of a checkpoint's tensors: its parameters, then its buffers.
  public static func sha256(ofCheckpoint tensors: [CheckpointTensor]) -> String {
    let groups = ["parameters/", "buffers/"]
    return sha256(
      groups.flatMap { group in
        tensors.filter { $0.path.hasPrefix(group) }.map {
          CheckpointTensor(
            path: String($0.path.dropFirst(group.count)), shape: $0.shape, values: $0.values)
        }
      })
  }

  public static func sha256(_ parameters: [CheckpointTensor]) -> String {
    let digest = SHA256Digest()
    for parameter in parameters {
      digest.update(parameter.path + "\0")
      digest.update(parameter.shape.map(String.init).joined(separator: ",") + "\0")
      digest.update(parameter.values.span)
    }
    return digest.finalize()
  }
}
