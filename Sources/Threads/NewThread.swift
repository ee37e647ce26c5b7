// SPDX-License-Identifier: Apache-2.0

import Foundation

#if canImport(Glibc)
  import Glibc
#endif

/// The system refused to start a thread.
public struct ThreadError: Error, Hashable, CustomStringConvertible {
  /// The system's error number: `EAGAIN` if a limit on threads or memory is reached.
  public let code: Int32

  public init(code: Int32) { self.code = code }

  public var description: String {
    "cannot start a thread: \(String(cString: strerror(code))); allow more threads or memory"
      + " (ulimit -u, ulimit -v, the pids limit of a container)"
  }
}

/// System threads that report a failure to start. Foundation's `Thread` does not, so code that
/// waits for a thread that never started waits forever.
public enum NewThread {
  /// Starts a detached thread.
  ///
  /// - Parameters:
  ///   - name: the name that debuggers and `top -H` show
  ///   - stackBytes: the size of the stack; nil uses the system's default
  ///   - body: the work of the thread
  /// - Throws: `ThreadError` if the system refuses; `body` is then not called
  ///
  /// The corresponding C function is `pthread_create`.
  public static func start(
    _ name: String, stackBytes: Int? = nil, _ body: @escaping @Sendable () -> Void
  ) throws(ThreadError) {
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    defer { pthread_attr_destroy(&attributes) }
    pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    if let stackBytes { pthread_attr_setstacksize(&attributes, stackBytes) }
    let start = Unmanaged.passRetained(Start(name, body))
    var thread = pthread_t()
    let code = pthread_create(
      &thread, &attributes,
      { start in
        let start = Unmanaged<Start>.fromOpaque(start!).takeRetainedValue()
        Thread.current.name = start.name
        start.body()
        return nil
      }, start.toOpaque())
    guard code == 0 else {
      start.release()
      throw ThreadError(code: code)
    }
  }

  private final class Start: Sendable {
    let name: String
    let body: @Sendable () -> Void

    init(_ name: String, _ body: @escaping @Sendable () -> Void) {
      (self.name, self.body) = (name, body)
    }
  }
}
