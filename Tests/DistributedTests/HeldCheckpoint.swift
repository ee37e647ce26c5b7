// SPDX-License-Identifier: Apache-2.0

import Checkpoints

/// A checkpoint that changes between the reading of its manifest and of its shards.
enum HeldCheckpoint {
  /// The checksum of the parameters that are read after `meanwhile`.
  static func digest(_ folder: String, _ meanwhile: () throws -> Void) throws -> String {
    let reader = try CheckpointReader(folder)
    try meanwhile()
    // It throws where the numbers that were read do not have this checksum.
    let tensors = try reader.checkedTensors()
    precondition(!tensors.isEmpty)
    return reader.manifest.parametersSHA256
  }
}
