#if canImport(Glibc)
  import Glibc
#endif

/// The memory of this process.
enum ProcessMemory {
  /// The most that was resident at once.
  static var peakBytes: Int {
    var usage = rusage()
    unsafe getrusage(Int32(RUSAGE_SELF.rawValue), &usage)
    return usage.ru_maxrss * 1024
  }
}
