#if canImport(Glibc)
  import Glibc
#endif

extension DurableFiles {
  /// The bytes of a file, a pipe or any other stream, which is read once and to its end.
  ///
  /// - Parameter limit: the most bytes that are taken
  /// - Returns: nil where there are more than `limit`
  ///
  /// The corresponding C function is `read`.
  public static func contents(of path: String, limit: Int) throws(FileError) -> [UInt8]? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw FileError("open", path) }
    defer { _ = close(descriptor) }
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 1 << 16)
    while bytes.count <= limit {
      let count = read(descriptor, &piece, piece.count)
      if count == 0 { return bytes }
      if count > 0 {
        bytes += piece[..<count]
      } else if errno != EINTR {
        throw FileError("read", path)
      }
    }
    return nil
  }
}
