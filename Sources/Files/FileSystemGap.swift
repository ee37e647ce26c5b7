// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
  import Glibc
#endif
import Synchronization

/// A feature that a file system lacks and that the program does not need.
///
/// A gap never ends a run. It is noted once per process, and `takeNotes()` returns the notes to
/// print.
public enum FileSystemGap: Hashable, Sendable {
  /// Symbolic links, as on FAT, some CIFS mounts and some FUSE file systems.
  case symbolicLinks
  /// `fsync` of a folder, as on CIFS before Linux 4.17 and some FUSE file systems.
  case folderSynchronization
  /// `flock`, as on Lustre without `-o flock` and some NFS mounts.
  case locks

  /// Whether the system's error number means that the file system lacks this feature, rather than
  /// that an operation failed.
  ///
  /// EROFS does not mean that: ext4 returns it for a folder after the device was lost.
  func isMeant(by code: Int32) -> Bool {
    switch self {
    // FAT answers EPERM.
    case .symbolicLinks: [EPERM, EOPNOTSUPP, ENOTSUP, ENOSYS, EINVAL].contains(code)
    case .folderSynchronization: [EINVAL, EOPNOTSUPP, ENOTSUP, ENOSYS].contains(code)
    case .locks: code != EWOULDBLOCK && code != EINTR
    }
  }

  /// Notes the gap, unless it is noted already.
  ///
  /// - Parameters:
  ///   - path: where it was found
  ///   - code: the system's error number
  func note(_ path: String, code: Int32) {
    let place = "\(path): this file system"
    let reason = "(\(String(cString: strerror(code))))"
    let line =
      switch self {
      case .symbolicLinks:
        "\(place) has no symbolic links \(reason); a text file holds the name of the link's"
          + " target"
      case .folderSynchronization:
        "\(place) cannot synchronize folders \(reason); after a power cut, the newest files may be"
          + " missing"
      case .locks:
        "\(place) has no locks \(reason); make sure that only one process trains in the folder"
      }
    Self.notes.withLock { notes in
      if notes.known.insert(self).inserted { notes.lines.append("note: \(line)") }
    }
  }

  /// The notes on gaps that were found since the last call.
  public static func takeNotes() -> [String] {
    notes.withLock { notes in
      defer { notes.lines = [] }
      return notes.lines
    }
  }

  private struct Notes {
    var known: Set<FileSystemGap> = []
    var lines: [String] = []
  }

  private static let notes = Mutex(Notes())
}
