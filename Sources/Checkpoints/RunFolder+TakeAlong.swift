import Files
import Foundation

extension RunFolder {
  /// Gives this run a checkpoint of another one: its files under second names, or copies of them
  /// where the file system has no hard links or is another. The copy is verified before it counts.
  ///
  /// One process may do this, while none writes a checkpoint.
  ///
  /// - Parameter folder: the checkpoint's
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
      try DurableFiles.createFolder(temporary)
      for name in names {
        try DurableFiles.linkOrCopy("\(folder)/\(name)", to: "\(temporary)/\(name)")
      }
      try CheckpointReader(temporary).verify()
      try DurableFiles.synchronize(temporary)
      try DurableFiles.rename(temporary, to: target)
      try DurableFiles.synchronize(checkpoints)
    } catch let error as CheckpointError {
      DurableFiles.remove(temporary)
      throw error
    } catch {
      DurableFiles.remove(temporary)
      throw .unwritable(target, error)
    }
  }
}
