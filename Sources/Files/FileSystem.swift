// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
  import Glibc
#endif
import Foundation

/// The file system of a path, which need not exist yet.
public struct FileSystem: Sendable, Hashable {
  /// The folder that was examined: the path, or its nearest existing parent.
  public let folder: String
  /// The system's name of its kind: ext4, tmpfs, nfs4.
  public let kind: String
  /// The bytes that this user may still write.
  public let freeBytes: Int
  /// The size of the file system.
  public let totalBytes: Int

  public init(folder: String, kind: String, freeBytes: Int, totalBytes: Int) {
    (self.folder, self.kind) = (folder, kind)
    (self.freeBytes, self.totalBytes) = (freeBytes, totalBytes)
  }

  /// Examines a path; nil if the system reports nothing.
  ///
  /// The corresponding C function is `statvfs`.
  public init?(of path: String) {
    var folder = path.isEmpty ? "." : path
    while !FileManager.default.fileExists(atPath: folder), DurableFiles.parent(of: folder) != folder
    {
      folder = DurableFiles.parent(of: folder)
    }
    var status = statvfs()
    guard statvfs(folder, &status) == 0 else { return nil }
    func bytes(_ blocks: UInt) -> Int {
      let (bytes, overflow) = blocks.multipliedReportingOverflow(by: status.f_frsize)
      return overflow ? Int.max : Int(clamping: bytes)
    }
    self.init(
      folder: folder, kind: Self.kind(of: folder), freeBytes: bytes(status.f_bavail),
      totalBytes: bytes(status.f_blocks))
  }

  /// Whether files are on another machine.
  public var isRemote: Bool {
    ["nfs", "cifs", "smb", "lustre", "gpfs", "beegfs", "ceph", "fuse", "9p", "orangefs", "panfs"]
      .contains { kind.hasPrefix($0) }
  }

  /// Whether its content is lost on a restart.
  public var isMemory: Bool { kind == "tmpfs" || kind == "ramfs" }

  /// The kind of the mount with the longest path to a folder.
  private static func kind(of folder: String) -> String {
    let place = URL(fileURLWithPath: folder).resolvingSymlinksInPath().path
    let mounts = FileManager.default.contents(atPath: "/proc/self/mountinfo") ?? Data()
    return kind(of: place, mounts: String(decoding: mounts, as: UTF8.self))
  }

  /// - Parameter mounts: lines of `proc_pid_mountinfo(5)`; later ones cover earlier ones
  static func kind(of place: String, mounts: String) -> String {
    var (longest, found) = (-1, "unknown")
    for line in mounts.split(separator: "\n") {
      let halves = line.components(separatedBy: " - ")
      let fields = halves[0].split(separator: " ")
      guard halves.count == 2, fields.count > 4,
        let kind = halves[1].split(separator: " ").first
      else { continue }
      let point = fields[4].replacingOccurrences(of: "\\040", with: " ")
      let leadsThere = point == "/" || place == point || place.hasPrefix(point + "/")
      if leadsThere, point.count >= longest { (longest, found) = (point.count, String(kind)) }
    }
    return found
  }

  /// Whether a file in a folder can be locked, as HDF5 locks every file that it opens; nil if no
  /// file can be made there.
  ///
  /// The corresponding C function is `flock`.
  public static func allowsLocks(in folder: String) -> Bool? {
    let path = DurableFiles.temporaryName(for: "\(folder)/lock")
    let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { return nil }
    defer {
      _ = close(descriptor)
      DurableFiles.remove(path)
    }
    return flock(descriptor, LOCK_EX | LOCK_NB) == 0
  }
}
