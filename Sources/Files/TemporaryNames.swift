// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
  import Glibc
#endif
import Foundation

extension DurableFiles {
  /// The text between a file's own name and the random part of its temporary one.
  private static let mark = ".partial-"

  /// A temporary name next to `path`: `path`, `.partial-` and 64 random bits as 16 hexadecimal
  /// digits. No other program uses it, and none can guess it to plant a link there.
  public static func temporaryName(for path: String) -> String {
    let digits = String(UInt64.random(in: .min ... .max), radix: 16)
    return path + mark + String(repeating: "0", count: 16 - digits.count) + digits
  }

  /// Whether a name is a temporary name of the file `own`, in the form of this version or of an
  /// earlier version, which used the number of the process.
  public static func isTemporaryName(_ name: String, of own: String) -> Bool {
    guard name.hasPrefix(own + mark) else { return false }
    let end = name.dropFirst(own.count + mark.count).utf8
    let isHexadecimal = end.allSatisfy {
      UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 || UInt8(ascii: "a")...UInt8(ascii: "f") ~= $0
    }
    let isDecimal = end.allSatisfy { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }
    return end.count == 16 && isHexadecimal || 1...10 ~= end.count && isDecimal
  }

  /// Removes temporary files of `path` whose writers are gone: regular files, older than ten
  /// minutes, that no process has locked as a writer does. On a file system without locks it is
  /// unknown whether a writer lives, so they are kept.
  public static func removeLeftovers(of path: String) {
    let folder = parent(of: path)
    let own = path.hasPrefix(folder + "/") ? String(path.dropFirst(folder.count + 1)) : path
    guard !own.isEmpty, let names = try? FileManager.default.contentsOfDirectory(atPath: folder)
    else { return }
    for name in names where isTemporaryName(name, of: own) {
      removeLeftover("\(folder)/\(name)")
    }
  }

  private static func removeLeftover(_ path: String) {
    let descriptor = open(path, O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    defer { _ = close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
      time(nil) - status.st_mtim.tv_sec > 600,
      flock(descriptor, LOCK_EX | LOCK_NB) == 0
    else { return }
    _ = unlink(path)
  }
}
