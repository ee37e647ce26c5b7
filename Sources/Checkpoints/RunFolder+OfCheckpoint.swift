// SPDX-License-Identifier: Apache-2.0

import Foundation

extension RunFolder {
  /// The run of a checkpoint: RUN/checkpoints/step-00001200.
  public init(ofCheckpoint folder: String) {
    let folder = URL(fileURLWithPath: folder).standardizedFileURL
    self.init(folder.deletingLastPathComponent().deletingLastPathComponent().path)
  }
}
