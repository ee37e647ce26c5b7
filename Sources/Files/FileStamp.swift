// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
  import Glibc
#endif

/// Distinguishes a file from an earlier file of the same name, and from itself before a change.
public struct FileStamp: Hashable, Sendable {
  /// The size of the file.
  public let bytes: Int
  /// Whether it is an ordinary file, not a link, a folder or a pipe.
  public let isRegular: Bool
  private let device: UInt64
  private let inode: UInt64
  /// Seconds and nanoseconds of the last change of the content, and of the last change of any kind.
  private let times: [Int]

  /// The stamp of a file, without following links; nil if there is none.
  ///
  /// The corresponding C function is `lstat`.
  public init?(_ path: String) {
    var status = stat()
    guard lstat(path, &status) == 0 else { return nil }
    self.init(status)
  }

  /// The stamp of an open file.
  ///
  /// The corresponding C function is `fstat`.
  init?(descriptor: CInt) {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { return nil }
    self.init(status)
  }

  private init(_ status: stat) {
    bytes = Int(status.st_size)
    isRegular = status.st_mode & S_IFMT == S_IFREG
    device = UInt64(status.st_dev)
    inode = UInt64(status.st_ino)
    times = [
      status.st_mtim.tv_sec, status.st_mtim.tv_nsec, status.st_ctim.tv_sec, status.st_ctim.tv_nsec,
    ]
  }
}
