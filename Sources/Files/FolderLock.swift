// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
  import Glibc
#endif

/// Keeps out other processes that lock the same folder, until it is released or the process ends in
/// any way. It creates no file in the folder.
///
/// The corresponding C function is `flock`.
public final class FolderLock {
  private let descriptor: CInt

  /// Locks a folder, which must exist.
  ///
  /// - Returns: nil if another process has locked it
  /// - Throws: if the folder cannot be opened. A file system without locks grants every lock.
  public init?(_ path: String) throws(FileError) {
    descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw FileError("open", path) }
    guard flock(descriptor, LOCK_EX | LOCK_NB) != 0 else { return }
    let code = errno
    if code == EWOULDBLOCK { return nil }
    if FileSystemGap.locks.isMeant(by: code) { FileSystemGap.locks.note(path, code: code) }
  }

  deinit { _ = close(descriptor) }
}
