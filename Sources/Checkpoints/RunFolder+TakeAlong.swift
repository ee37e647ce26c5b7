// SPDX-License-Identifier: Apache-2.0

import Files
import Foundation

extension RunFolder {
  /// Adds another run's checkpoint to this run: by hard links to its files, or by copies if the
  /// file system has no hard links or is a different one. The copy is verified before it counts.
  ///
  /// Only one process may call this, and only while no checkpoint is being written.
  ///
  /// - Parameter folder: the checkpoint's folder
  public func takeAlong(_ folder: String) throws(CheckpointError) {
    let manifest = try CheckpointManifest(ofCheckpoint: folder)
    let target = checkpoint(step: manifest.step)
    guard !savedSteps().contains(manifest.step) else { return }
    let temporary = target + Self.partialSuffix
    let view = FileManager.default.fileExists(atPath: "\(folder)/\(CheckpointWriter.viewName)")
    let names =
      manifest.files.map(\.name) + (view ? [CheckpointWriter.viewName] : [])
      + [CheckpointManifest.fileName]
    do {
      DurableFiles.remove(temporary)
      try DurableFiles.createNewFolder(temporary)
      for name in names {
        try DurableFiles.linkOrCopy("\(folder)/\(name)", to: "\(temporary)/\(name)")
      }
      try CheckpointReader(temporary).verify()
      try DurableFiles.synchronize(temporary)
      DurableFiles.remove(target)  // not a checkpoint, or it would be among the saved steps
      try DurableFiles.publish(temporary, as: target)
    } catch let error as CheckpointError {
      DurableFiles.remove(temporary)
      throw error
    } catch {
      DurableFiles.remove(temporary)
      throw .unwritable(target, error)
    }
  }
}
