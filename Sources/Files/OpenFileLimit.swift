// SPDX-License-Identifier: Apache-2.0

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// How many files this process may have open.
///
/// Systems set a soft limit, often 1,024, which a process may raise to the hard one.
public enum OpenFileLimit {
  /// The open files reserved for MPI, libraries, logs and a checkpoint.
  private static let reserved = 48
  /// More open files than this do not make reading faster.
  private static let most = 4096

  /// The current soft limit.
  public static var current: Int {
    var limit = rlimit()
    guard getrlimit(Self.resource, &limit) == 0 else { return 256 }
    return Int(clamping: limit.rlim_cur)
  }

  /// The open files for one list of files. Several parts of a data set are open at a time, each
  /// with several lists.
  public static var shared: Int { share(of: current) }

  static func share(of limit: Int) -> Int {
    min(max((limit - reserved) / 4, 2), most)
  }

  /// Raises the soft limit to the hard one.
  public static func raise() {
    var limit = rlimit()
    guard getrlimit(Self.resource, &limit) == 0, limit.rlim_cur < limit.rlim_max else { return }
    limit.rlim_cur = limit.rlim_max
    _ = setrlimit(Self.resource, &limit)
  }

  #if canImport(Darwin)
    private static var resource: Int32 { RLIMIT_NOFILE }
  #else
    private static var resource: __rlimit_resource_t {
      __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    }
  #endif
}
