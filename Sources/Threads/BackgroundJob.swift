import Dispatch
import Foundation
import Synchronization

/// A piece of work on a thread of its own, whose result is asked for later.
///
///     let job = BackgroundJob("write") { try write(copy) }
///     ...                       // meanwhile
///     if job.isDone { try job.result() }
///
/// The thread ends with the work; nothing ends it before. It calls nothing that belongs to the
/// main thread, MPI above all.
public final class BackgroundJob<Value: Sendable>: Sendable {
  private let group = DispatchGroup()
  private let outcome = Mutex<Result<Value, any Error>?>(nil)

  /// Starts the work.
  ///
  /// - Parameter name: what debuggers call the thread
  public init(_ name: String, _ body: @escaping @Sendable () throws -> Value) {
    group.enter()
    let thread = Thread { [self] in
      let result = Result { try body() }
      outcome.withLock { $0 = result }
      group.leave()
    }
    thread.name = name
    thread.start()
  }

  /// Whether `result()` would not have to wait.
  public var isDone: Bool { outcome.withLock { $0 != nil } }

  /// Waits for the end of the work.
  ///
  /// - Throws: what the work threw
  public func result() throws -> Value {
    group.wait()
    return try outcome.withLock { $0! }.get()
  }

  /// Waits for the end of the work, however it ends.
  public func wait() { group.wait() }
}
