// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
  import Glibc
#endif
import Foundation

/// A file that is written from its start or from its end. On any failure, the error has the
/// system's error number: a full disk, a quota, a read-only file system.
public final class WritableFile {
  /// What happens to the content that a file already has.
  public enum Start: Sendable {
    case empty, atEnd
    /// There must be no file or link with this name. The file is locked until it is closed, which
    /// shows that its writer is alive.
    case new
  }

  /// The path, for messages.
  public let path: String
  private var descriptor: Int32

  /// Opens a file, and creates it if there is none.
  ///
  /// The corresponding C function is `open`.
  public init(_ path: String, _ start: Start) throws(FileError) {
    self.path = path
    let mode =
      switch start {
      case .empty: O_TRUNC
      case .atEnd: O_APPEND
      case .new: O_EXCL | O_NOFOLLOW
      }
    descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | mode, 0o666)
    guard descriptor >= 0 else { throw FileError("open for writing", path) }
    if start == .new { _ = flock(descriptor, LOCK_EX | LOCK_NB) }
  }

  deinit {
    if descriptor >= 0 { _ = Glibc.close(descriptor) }
  }

  /// Writes all bytes, or throws.
  ///
  /// The corresponding C function is `write`.
  public func write(_ bytes: some ContiguousBytes) throws(FileError) {
    let code = bytes.withUnsafeBytes { bytes -> Int32 in
      var rest = bytes[...]
      while !rest.isEmpty {
        let count = Glibc.write(
          descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
        if count < 0, errno == EINTR { continue }
        // If nothing is written and there is no error, this loop would run forever.
        guard count > 0 else { return count < 0 ? errno : ENOSPC }
        rest = rest.dropFirst(count)
      }
      return 0
    }
    guard code == 0 else { throw FileError("write", path, code: code) }
  }

  /// Waits until the written data are on the disk.
  ///
  /// The corresponding C function is `fsync`.
  public func synchronize() throws(FileError) {
    guard fsync(descriptor) == 0 else { throw FileError("write to disk", path) }
  }

  /// Closes the file; network file systems report here what they could not write.
  ///
  /// The corresponding C function is `close`.
  public func close() throws(FileError) {
    let own = descriptor
    descriptor = -1
    guard own < 0 || Glibc.close(own) == 0 else { throw FileError("close", path) }
  }
}
