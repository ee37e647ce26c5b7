// SPDX-License-Identifier: Apache-2.0

import Tensors

@testable import Checkpoints

extension CheckpointWriter {
  /// Writes a shard of tensors that are given as arrays.
  func writeShard(
    _ shard: Int, _ tensors: [CheckpointTensor]
  ) throws -> CheckpointManifest.FileEntry {
    let snapshot = CheckpointSnapshot(shard: shard, of: shards)
    snapshot.copy(
      tensors.map { LiveTensor(path: $0.path, tensor: Tensor($0.values, shape: $0.shape)) })
    return try write(snapshot)
  }
}

extension [CheckpointTensor] {
  /// Their paths and shapes.
  var entries: [CheckpointManifest.TensorEntry] { map { .init(path: $0.path, shape: $0.shape) } }
}
