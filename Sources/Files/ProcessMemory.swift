// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
  import Glibc
#endif
import Foundation

/// The memory of this process.
public enum ProcessMemory {
  /// The peak of resident memory, in bytes.
  ///
  /// The corresponding C function is `getrusage`.
  public static var peakBytes: Int {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return usage.ru_maxrss * 1024
  }

  /// The resident memory, in bytes; nil if unknown.
  public static var residentBytes: Int? { pages.map { $0.resident * Int(getpagesize()) } }

  /// The resident memory of this process alone, in bytes, without the pages of libraries and shared
  /// memory, which the ranks of a host share. Nil if unknown.
  public static var privateBytes: Int? {
    pages.map { max($0.resident - $0.shared, 0) * Int(getpagesize()) }
  }

  private static var pages: (resident: Int, shared: Int)? {
    FileManager.default.contents(atPath: "/proc/self/statm").flatMap {
      pages(statm: String(decoding: $0, as: UTF8.self))
    }
  }

  /// The resident pages, and those of them that are shared: the second and third number of the
  /// system's line. Nil if it is not such a line.
  static func pages(statm line: String) -> (resident: Int, shared: Int)? {
    let fields = line.split(whereSeparator: \.isWhitespace).compactMap { Int($0) }
    return fields.count > 2 ? (fields[1], fields[2]) : nil
  }
}
