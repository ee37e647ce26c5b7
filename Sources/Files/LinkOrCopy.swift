// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
  import Glibc
#endif

extension DurableFiles {
  /// Gives a file that is never written to again a second name, or copies it if that is impossible,
  /// as between two file systems.
  ///
  /// The corresponding C function is `link`.
  public static func linkOrCopy(_ path: String, to newPath: String) throws(FileError) {
    if Glibc.link(path, newPath) == 0 { return }
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw FileError("open", path) }
    defer { _ = close(descriptor) }
    let copy = try WritableFile(newPath, .new)
    var piece = [UInt8](repeating: 0, count: 1 << 20)
    while true {
      let count = read(descriptor, &piece, piece.count)
      if count == 0 { break }
      if count > 0 {
        try copy.write(piece[..<count])
      } else if errno != EINTR {
        throw FileError("read", path)
      }
    }
    try copy.synchronize()
    try copy.close()
  }
}
