// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
  import Glibc
#endif

/// A regular file that is kept open, so that it can be read even after it was removed.
public final class HeldFile: Sendable {
  private let descriptor: CInt

  /// Opens a file; nil if there is none or if it is not a regular file.
  ///
  /// The corresponding C function is `open`.
  public init?(_ path: String) {
    // A pipe of this name must not block.
    descriptor = open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    if FileStamp(descriptor: descriptor)?.isRegular != true { return nil }
  }

  deinit {
    if descriptor >= 0 { _ = close(descriptor) }
  }

  /// A path to the file that is valid only in this process.
  public var path: String { "/proc/self/fd/\(descriptor)" }

  /// The current stamp of the file.
  public var stamp: FileStamp? { FileStamp(descriptor: descriptor) }
}
