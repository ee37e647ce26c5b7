// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Synchronization

/// A piece of work on its own thread, whose result is collected later.
///
///     let job = BackgroundJob("write") { try write(copy) }
///     ...                       // meanwhile
///     if job.isDone { try job.result() }
///
/// The thread ends with the work, which cannot be cancelled. It must not call anything that belongs
/// to the main thread, in particular MPI.
public final class BackgroundJob<Value: Sendable>: Sendable {
  private let group = DispatchGroup()
  private let outcome = Mutex<Result<Value, any Error>?>(nil)

  /// Starts the work. If the system refuses another thread, the calling thread does the work before
  /// this returns. The result is the same.
  ///
  /// - Parameters:
  ///   - name: the name that debuggers show for the thread
  ///   - inPlace: whether the calling thread does the work before this returns
  ///   - body: the work
  public convenience init(
    _ name: String, inPlace: Bool = false, _ body: @escaping @Sendable () throws -> Value
  ) {
    self.init(name, inPlace: inPlace, stackBytes: nil, body)
  }

  /// - Parameter stackBytes: see `NewThread.start`
  init(
    _ name: String, inPlace: Bool, stackBytes: Int?, _ body: @escaping @Sendable () throws -> Value
  ) {
    let work: @Sendable () -> Void = { [self] in
      let result = Result { try body() }
      outcome.withLock { $0 = result }
    }
    guard !inPlace else {
      work()
      return
    }
    let group = group
    group.enter()
    do {
      try NewThread.start(name, stackBytes: stackBytes) {
        work()
        group.leave()
      }
    } catch {
      work()
      group.leave()
    }
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

  /// Waits for the end of the work, regardless of its outcome.
  public func wait() { group.wait() }
}
