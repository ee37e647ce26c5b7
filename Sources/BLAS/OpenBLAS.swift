// SPDX-License-Identifier: Apache-2.0

internal import COpenBLAS

/// The OpenBLAS library, and its settings for this process.
public enum OpenBLAS {
  /// Sets the number of threads that each call may use.
  ///
  /// The corresponding C function is `openblas_set_num_threads`.
  public static func setThreads(_ n: Int) {
    precondition(n > 0, "OpenBLAS needs at least one thread, found \(n)")
    openblas_set_num_threads(CInt(n))
  }

  /// The number of threads that each call may use.
  ///
  /// The corresponding C function is `openblas_get_num_threads`.
  public static var threads: Int {
    Int(openblas_get_num_threads())
  }

  /// The processor whose kernels were chosen at run time, such as `SkylakeX`.
  ///
  /// The corresponding C function is `openblas_get_corename`.
  public static var coreName: String {
    String(cString: openblas_get_corename())
  }

  /// The version and build options, on one line.
  ///
  /// The corresponding C function is `openblas_get_config`.
  public static var version: String {
    String(cString: openblas_get_config())
  }
}
