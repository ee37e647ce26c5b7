// SPDX-License-Identifier: Apache-2.0

import Files
import Foundation

extension RunFolder {
  /// The checkpoint that `latest` names, by a link or, on a file system without links, by its text;
  /// nil if it names none. It is for users: a resume uses the folders themselves.
  public var latestCheckpoint: String? {
    let latest = "\(checkpoints)/latest"
    let manifest = CheckpointManifest.fileName
    // `latest` is a link, or a folder if the run was copied and its links were followed.
    if FileManager.default.fileExists(atPath: "\(latest)/\(manifest)") { return latest }
    guard let data = DurableFiles.ordinaryContents(of: latest), data.count < 1 << 10 else {
      return nil
    }
    let name = String(decoding: data, as: UTF8.self).trimmingCharacters(in: .newlines)
    let folder = "\(checkpoints)/\(name)"
    guard name.hasPrefix("step-"), !name.contains("/"),
      FileManager.default.fileExists(atPath: "\(folder)/\(manifest)")
    else { return nil }
    return folder
  }

  /// Renames a folder `latest`, which is made if the run is copied and its links are followed.
  func moveCopyOfLatest() throws(FileError) {
    let latest = "\(checkpoints)/latest"
    guard let stamp = FileStamp(latest), !stamp.isRegular,
      (try? FileManager.default.destinationOfSymbolicLink(atPath: latest)) == nil
    else { return }
    try DurableFiles.rename(latest, to: Self.freeName(latest + Self.passedSuffix))
  }
}
