// SPDX-License-Identifier: Apache-2.0

internal import COpenMPI

#if canImport(Darwin)
  internal import Darwin
#else
  internal import Glibc
#endif

/// Starts and ends MPI in this process.
///
///     try Environment.initialize()
///     let world = try Communicator.world()
///     print("rank \(world.rank) of \(world.size)")
///     Environment.finalize()
///
/// A program started without `mpirun` is rank 0 of 1.
public enum Environment {
  /// Starts MPI for use from several threads.
  ///
  /// Later calls do nothing. After this, errors are thrown as `MPIError`; by default MPI would end
  /// the process. Call it from the main thread, before other threads use MPI.
  ///
  /// - Throws: `MPIError.other` if MPI has been finalized, because it can start only once.
  ///
  /// The corresponding C function is `MPI_Init_thread`, with `MPI_THREAD_MULTIPLE`.
  public static func initialize() throws(MPIError) {
    if isInitialized { return }
    if isFinalized { throw .other }
    try Launcher.isolatedIfAlone { () throws(MPIError) in
      var provided: CInt = 0
      try check(MPI_Init_thread(nil, nil, CInt(MPI_THREAD_MULTIPLE), &provided))
    }
    try check(MPI_Comm_set_errhandler(COpenMPI_COMM_WORLD(), COpenMPI_ERRORS_RETURN()))
    try check(MPI_Comm_set_errhandler(COpenMPI_COMM_SELF(), COpenMPI_ERRORS_RETURN()))
  }

  /// Ends MPI; every rank calls it once its communication is complete.
  ///
  /// Does nothing if MPI is not running.
  ///
  /// The corresponding C function is `MPI_Finalize`.
  public static func finalize() {
    if isInitialized { _ = Waits.during { MPI_Finalize() } }
  }

  /// A Boolean value that tells whether MPI has started and has not been finalized.
  ///
  /// The corresponding C functions are `MPI_Initialized` and `MPI_Finalized`.
  public static var isInitialized: Bool {
    var flag: CInt = 0
    return MPI_Initialized(&flag) == MPI_SUCCESS && flag != 0 && !isFinalized
  }

  /// A Boolean value that tells whether every thread may call MPI at any time.
  ///
  /// The corresponding C function is `MPI_Query_thread`.
  public static var isThreadMultiple: Bool {
    var level: CInt = 0
    return isInitialized && MPI_Query_thread(&level) == MPI_SUCCESS
      && level == CInt(MPI_THREAD_MULTIPLE)
  }

  /// The name of this host as MPI knows it, or an empty string if MPI is not running.
  ///
  /// The corresponding C function is `MPI_Get_processor_name`.
  public static var processorName: String {
    guard isInitialized else { return "" }
    return withText(capacity: Int(MPI_MAX_PROCESSOR_NAME)) { MPI_Get_processor_name($0, $1) }
  }

  /// The name and version of the MPI library, on one line.
  ///
  /// The corresponding C function is `MPI_Get_library_version`.
  public static var libraryVersion: String {
    let text = withText(capacity: Int(MPI_MAX_LIBRARY_VERSION_STRING)) {
      MPI_Get_library_version($0, $1)
    }
    return String(text.prefix { !$0.isNewline && $0 != "\0" })
  }

  /// Ends all ranks with `code` as their exit status.
  ///
  /// The corresponding C function is `MPI_Abort`.
  public static func abort(code: Int32) -> Never {
    if isInitialized { _ = Waits.during { MPI_Abort(COpenMPI_COMM_WORLD(), code) } }
    exit(code)
  }

  /// A Boolean value that tells whether MPI was finalized.
  private static var isFinalized: Bool {
    var flag: CInt = 0
    return MPI_Finalized(&flag) == MPI_SUCCESS && flag != 0
  }
}
