internal import CHDF5

/// The HDF5 library that this process uses.
public enum HDF5Library {
  /// Its version, such as 1.10.8.
  ///
  /// The corresponding C function is `H5get_libversion`.
  public static var version: String {
    var numbers: (UInt32, UInt32, UInt32) = (0, 0, 0)
    H5get_libversion(&numbers.0, &numbers.1, &numbers.2)
    return "\(numbers.0).\(numbers.1).\(numbers.2)"
  }

  /// Whether several threads may use it.
  ///
  /// The corresponding C function is `H5is_library_threadsafe`.
  public static var isThreadSafe: Bool {
    var isThreadSafe = false
    return H5is_library_threadsafe(&isThreadSafe) >= 0 && isThreadSafe
  }

  /// Whether it can read and write compressed data.
  ///
  /// The corresponding C function is `H5Zfilter_avail`.
  public static var hasDeflate: Bool { H5Zfilter_avail(H5Z_filter_t(H5Z_FILTER_DEFLATE)) > 0 }
}
