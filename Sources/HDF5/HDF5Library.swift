// SPDX-License-Identifier: Apache-2.0

internal import CHDF5
import Synchronization

#if canImport(Glibc)
  internal import Glibc
#endif

/// The HDF5 library that this process uses.
public enum HDF5Library {
  /// The version of the library, such as 1.10.8.
  ///
  /// The corresponding C function is `H5get_libversion`.
  public static var version: String {
    var numbers: (UInt32, UInt32, UInt32) = (0, 0, 0)
    H5get_libversion(&numbers.0, &numbers.1, &numbers.2)
    return "\(numbers.0).\(numbers.1).\(numbers.2)"
  }

  /// Whether several threads may use the library. If not, all calls must come from one thread. A
  /// call from a second thread would corrupt memory, so it traps.
  ///
  /// For tests of that case, this is false if the environment has `MOMENTUM_DIST_HDF5_THREADS=one`.
  ///
  /// The corresponding C function is `H5is_library_threadsafe`.
  public static let isThreadSafe: Bool = {
    if getenv("MOMENTUM_DIST_HDF5_THREADS").map({ String(cString: $0) }) == "one" { return false }
    var isThreadSafe = false
    return H5is_library_threadsafe(&isThreadSafe) >= 0 && isThreadSafe
  }()

  /// Traps if a second thread calls a library that is not thread-safe.
  static func checkThread() {
    if isThreadSafe { return }
    let here = UInt(bitPattern: pthread_self().hashValue)
    let (_, first) = firstThread.compareExchange(
      expected: 0, desired: here, ordering: .relaxed)
    precondition(
      first == 0 || first == here, "HDF5 is not thread-safe, and two threads call it")
  }

  private static let firstThread = Atomic<UInt>(0)

  /// Whether the library can read and write data that is compressed with deflate.
  ///
  /// The corresponding C function is `H5Zfilter_avail`.
  public static var hasDeflate: Bool { H5Zfilter_avail(H5Z_filter_t(H5Z_FILTER_DEFLATE)) > 0 }
}
