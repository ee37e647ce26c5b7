// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
  import Glibc
#endif
import Foundation

/// File operations that survive a power cut, and that replace files completely or not at all.
public enum DurableFiles {
  /// Creates a folder and those above it. Their names are on the disk when this returns.
  public static func createFolder(_ path: String) throws(FileError) {
    if isFolder(path) { return }
    if FileManager.default.fileExists(atPath: path) {
      throw FileError("make the folder", path, code: EEXIST)
    }
    if parent(of: path) != path { try createFolder(parent(of: path)) }
    guard mkdir(path, 0o777) == 0 else {
      if errno == EEXIST { return }
      throw FileError("make the folder", path)
    }
    try synchronize(parent(of: path))
  }

  /// Creates a new folder. If anything already has its name, even a link to a folder, it throws.
  public static func createNewFolder(_ path: String) throws(FileError) {
    guard mkdir(path, 0o777) == 0 else { throw FileError("make the folder", path) }
    try synchronize(parent(of: path))
  }

  /// Whether there is a folder at a path, directly or through links.
  public static func isFolder(_ path: String) -> Bool {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
      && isFolder.boolValue
  }

  /// Whether a path itself is a symbolic link.
  ///
  /// The corresponding C function is `lstat`.
  public static func isLink(_ path: String) -> Bool {
    var status = stat()
    return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK
  }

  /// Opens a regular file for appending, and creates it if there is none. Neither the file nor its
  /// folder may be a link, and a pipe or a device is refused without waiting, because another user
  /// may have put it there.
  ///
  /// The corresponding C functions are `open` and `openat`.
  public static func openForAppending(_ path: String) throws(FileError) -> FileHandle {
    let folder = parent(of: path)
    let place = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    guard place >= 0 else {
      let code = errno
      if isLink(folder) { throw FileError("open", folder, obstacle: .link) }
      throw FileError("open", folder, code: code)
    }
    defer { _ = close(place) }
    let descriptor = openat(
      place, lastName(of: path),
      O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else {
      let code = errno
      switch code {
      case ELOOP: throw FileError("open for writing", path, obstacle: .link)
      // A pipe without a reader, or a socket.
      case ENXIO: throw FileError("open for writing", path, obstacle: .notRegular)
      default: throw FileError("open for writing", path, code: code)
      }
    }
    guard FileStamp(descriptor: descriptor)?.isRegular == true else {
      _ = close(descriptor)
      throw FileError("open for writing", path, obstacle: .notRegular)
    }
    return FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
  }

  /// Waits until the content of a file, or the names in a folder, are on the disk.
  public static func synchronize(_ path: String) throws(FileError) {
    // Some network file systems synchronise a file only for a descriptor that may write.
    var descriptor = open(path, O_RDWR | O_CLOEXEC)
    if descriptor < 0 { descriptor = open(path, O_RDONLY | O_CLOEXEC) }
    guard descriptor >= 0 else {
      let code = errno
      // In some folders this user may create files but not list them.
      guard code == EACCES, isFolder(path) else { throw FileError("open", path, code: code) }
      return FileSystemGap.folderSynchronization.note(path, code: code)
    }
    defer { _ = close(descriptor) }
    guard fsync(descriptor) != 0 else { return }
    let code = errno
    guard isFolder(path), FileSystemGap.folderSynchronization.isMeant(by: code) else {
      throw FileError("write to disk", path, code: code)
    }
    FileSystemGap.folderSynchronization.note(path, code: code)
  }

  /// Renames a file or folder, replacing any file with the new name.
  public static func rename(_ path: String, to newPath: String) throws(FileError) {
    guard Glibc.rename(path, newPath) == 0 else { throw FileError("rename to \(newPath)", path) }
  }

  /// Gives a file that is on the disk its final name, and waits until the name is on the disk too.
  /// After a power cut, the name has either the old content or the new.
  public static func publish(_ temporary: String, as path: String) throws(FileError) {
    try rename(temporary, to: path)
    try synchronize(parent(of: path))
  }

  /// Removes a file, or a folder with all its content; it need not exist.
  public static func remove(_ path: String) {
    try? FileManager.default.removeItem(atPath: path)
  }

  /// Writes a file under a temporary name, waits for the disk, and renames it.
  public static func write(_ text: String, to path: String) throws(FileError) {
    try replace(path) { (file) throws(FileError) in try file.write(Array(text.utf8)) }
  }

  /// Lets `body` write a file under a temporary name, waits for the disk, and renames it. If
  /// anything fails, an existing file of this name is kept.
  public static func replace(
    _ path: String, _ body: (WritableFile) throws(FileError) -> Void
  ) throws(FileError) {
    removeLeftovers(of: path)
    let temporary = temporaryName(for: path)
    do throws(FileError) {
      let file = try WritableFile(temporary, .new)
      try body(file)
      try file.synchronize()
      try file.close()
      try publish(temporary, as: path)
    } catch {
      remove(temporary)
      throw error
    }
  }

  /// Points a symbolic link at `target`, replacing an older link in one step. On a file system
  /// without symbolic links, writes a text file with the name of the target.
  public static func link(_ path: String, to target: String) throws(FileError) {
    let temporary = temporaryName(for: path)
    if symlink(target, temporary) != 0 {
      let code = errno
      guard FileSystemGap.symbolicLinks.isMeant(by: code) else {
        throw FileError("link", path, code: code)
      }
      try write(target + "\n", to: path)
      return FileSystemGap.symbolicLinks.note(path, code: code)
    }
    try publish(temporary, as: path)
  }

  /// The free bytes of the file system of a folder; nil if unknown.
  ///
  /// The corresponding C function is `statvfs`.
  public static func freeBytes(at folder: String) -> Int? {
    var status = statvfs()
    guard statvfs(folder, &status) == 0, status.f_blocks > 0 else { return nil }
    let (bytes, overflow) = status.f_bavail.multipliedReportingOverflow(by: status.f_frsize)
    return overflow ? Int.max : Int(clamping: bytes)
  }

  /// The files that match a pattern with `*`, `?` and `[...]`, sorted. A leading folder that exists
  /// under its literal name is that folder, whatever characters are in its name.
  ///
  /// The corresponding C function is `glob`.
  public static func names(fitting pattern: String) -> [String] {
    var result = glob_t()
    defer { globfree(&result) }
    guard glob(escapingExistingFolders(of: pattern), 0, nil, &result) == 0,
      let names = result.gl_pathv
    else { return [] }
    return (0..<Int(result.gl_pathc)).compactMap { names[$0].map { String(cString: $0) } }
  }

  /// The folder of a path; `.` for a bare name.
  public static func parent(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }
}
