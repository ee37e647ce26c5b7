// SPDX-License-Identifier: Apache-2.0

import Files
import Foundation
import MPI

/// A file that rank 0 writes to the folder for runs, and that the other hosts look for.
///
/// Every host writes its part of a checkpoint to that folder, so all must see the same one.
enum SharedFolderProbe {
  /// How long a host looks. A network file system may remember for seconds that there was no file.
  static let limit = Duration.seconds(5)

  /// Returns whether this host sees the file; nil if rank 0 could not write one.
  ///
  /// Every rank calls this. Only those with `looks` look for the file.
  static func isSeen(
    in output: String, on world: Communicator, looks: Bool
  ) throws(MPIError) -> Bool? {
    let folder = FileSystem(of: output)?.folder
    var path: String?
    if world.rank == 0, let folder {
      path = DurableFiles.temporaryName(for: "\(folder)/momentum-dist-doctor")
      if let file = path, (try? DurableFiles.write("probe", to: file)) == nil { path = nil }
    }
    defer { if let path { DurableFiles.remove(path) } }
    let own = path.map(DurableFiles.lastName(of:)) ?? ""
    let name = String(decoding: try world.broadcast(Array(own.utf8)), as: UTF8.self)
    guard !name.isEmpty else { return nil }
    let isSeen = looks && folder.map { appears("\($0)/\(name)") } ?? false
    try world.barrier()  // then the file is removed
    return isSeen
  }

  private static func appears(_ path: String) -> Bool {
    let start = ContinuousClock.now
    while !FileManager.default.fileExists(atPath: path) {
      guard ContinuousClock.now - start < limit else { return false }
      usleep(100_000)
    }
    return true
  }
}
