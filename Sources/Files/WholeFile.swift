// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
  import Glibc
#endif
import Foundation

extension DurableFiles {
  /// The bytes of a file, a pipe or any other stream, which is read once and to its end.
  ///
  /// - Parameters:
  ///   - path: the path of the file
  ///   - limit: the largest number of bytes to read
  /// - Returns: nil if there are more than `limit`
  ///
  /// The corresponding C function is `read`.
  public static func contents(of path: String, limit: Int) throws(FileError) -> [UInt8]? {
    let descriptor = try openForReading(path)
    defer { _ = close(descriptor) }
    return try contents(of: descriptor, path, limit: limit)
  }

  /// Opens a regular file, or a stream that the user has named: one that a shell makes, or standard
  /// input. Any other pipe, socket or device may be in another user's folder, and is refused.
  ///
  /// - Returns: the descriptor, which the caller closes
  ///
  /// The corresponding C function is `open`.
  public static func openForReading(_ path: String) throws(FileError) -> CInt {
    let descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
    guard descriptor >= 0 else {
      let code = errno
      // A socket cannot be opened at all.
      if code == ENXIO, !isStreamOfUser(path) {
        throw FileError("read", path, obstacle: .notRegular)
      }
      throw FileError("open", path, code: code)
    }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      let code = errno
      _ = close(descriptor)
      throw FileError("open", path, code: code)
    }
    switch status.st_mode & S_IFMT {
    case S_IFREG, S_IFDIR: return descriptor  // `read` reports a folder in the system's words
    case _ where isStreamOfUser(path):
      _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) & ~O_NONBLOCK)
      return descriptor
    default:
      _ = close(descriptor)
      throw FileError("read", path, obstacle: .notRegular)
    }
  }

  /// Whether a path names a stream that only the user can have given to this process: /dev/stdin,
  /// /dev/fd/N, or the same below /proc. A path that leads elsewhere from there, such as through
  /// `..`, is not.
  static func isStreamOfUser(_ path: String) -> Bool {
    guard path.hasPrefix("/") else { return false }
    func isNumber(_ name: Substring) -> Bool {
      !name.isEmpty && name.utf8.allSatisfy { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }
    }
    let names = path.split(separator: "/").filter { $0 != "." }
    switch names.count {
    case 2: return names == ["dev", "stdin"]
    case 3: return names[..<2] == ["dev", "fd"] && isNumber(names[2])
    case 4:
      return names[0] == "proc" && (names[1] == "self" || isNumber(names[1])) && names[2] == "fd"
        && isNumber(names[3])
    default: return false
    }
  }

  /// The bytes of an ordinary file in a folder that others may have made. Nil if there is none, if
  /// it cannot be read, if it has more than `limit` bytes, or if it is a pipe or a device, which is
  /// not waited for.
  public static func ordinaryContents(of path: String, limit: Int = 1 << 30) -> Data? {
    let descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { _ = close(descriptor) }
    guard FileStamp(descriptor: descriptor)?.isRegular == true else { return nil }
    return (try? contents(of: descriptor, path, limit: limit)).flatMap { $0 }.map { Data($0) }
  }

  /// The last bytes of an ordinary file, from the start of a line on; nil if it cannot be read.
  ///
  /// - Parameters:
  ///   - path: the path of the file
  ///   - bytes: the largest number of bytes to read
  public static func tail(of path: String, bytes: Int) -> Data? {
    let descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { _ = close(descriptor) }
    guard let stamp = FileStamp(descriptor: descriptor), stamp.isRegular else { return nil }
    // One more byte tells whether the first line is complete.
    let start = max(0, stamp.bytes - bytes - 1)
    guard lseek(descriptor, off_t(start), SEEK_SET) == off_t(start) else { return nil }
    // The file may grow without limit while it is read.
    let read = (try? contents(of: descriptor, path, limit: bytes + (1 << 24))).flatMap { $0 }
    guard let read else { return nil }
    guard start > 0 else { return Data(read) }
    guard let end = read.firstIndex(of: UInt8(ascii: "\n")) else { return Data() }
    return Data(read[(end + 1)...])
  }

  private static func contents(
    of descriptor: CInt, _ path: String, limit: Int
  ) throws(FileError) -> [UInt8]? {
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
