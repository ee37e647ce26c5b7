#if canImport(Glibc)
  import Glibc
#endif
import Foundation

/// The memory of this process.
public enum ProcessMemory {
  /// The most that was resident at once, in bytes.
  ///
  /// The corresponding C function is `getrusage`.
  public static var peakBytes: Int {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return usage.ru_maxrss * 1024
  }

  /// What is resident now, in bytes; nil if the system does not say.
  public static var residentBytes: Int? {
    guard let data = FileManager.default.contents(atPath: "/proc/self/statm") else { return nil }
    let fields = String(decoding: data, as: UTF8.self).split(separator: " ")
    return fields.count > 1 ? Int(fields[1]).map { $0 * Int(getpagesize()) } : nil
  }
}
