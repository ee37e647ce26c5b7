// SPDX-License-Identifier: Apache-2.0

import Files

#if canImport(Darwin)
  internal import Darwin
#else
  internal import Glibc
#endif

/// A file that is read from front to back in pieces.
final class FileReader {
  let path: String
  private let file: CInt
  private var piece = [UInt8](repeating: 0, count: 1 << 18)

  init(_ path: String) throws(GzipError) {
    self.path = path
    do throws(FileError) {
      file = try DurableFiles.openForReading(path)
    } catch {
      throw error.code == ENOENT
        ? .missing(path: path)
        : .unreadable(
          path: path,
          reason: error.code == EOPNOTSUPP
            ? "it is a pipe or a device" : String(cString: strerror(error.code)))
    }
  }

  deinit {
    if file >= 0 { close(file) }
  }

  /// Returns the next bytes of the file; empty at its end.
  func next() throws(GzipError) -> ArraySlice<UInt8> {
    while true {
      let count = read(file, &piece, piece.count)
      if count >= 0 { return piece[..<count] }
      guard errno == EINTR else {
        throw .unreadable(path: path, reason: String(cString: strerror(errno)))
      }
    }
  }
}
