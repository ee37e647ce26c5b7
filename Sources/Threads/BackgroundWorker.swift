// SPDX-License-Identifier: Apache-2.0

import Foundation

/// One thread that does one piece of work after another. It lives as long as the worker.
///
///     let worker = try BackgroundWorker("reduction")
///     worker.start { try sum() }
///     ...                       // meanwhile
///     try worker.finish()
///
/// Use it for work that recurs at every step, to avoid starting a new thread each time.
public final class BackgroundWorker: Sendable {
  private let desk = Desk()

  /// Starts the thread, which waits for work.
  ///
  /// - Parameters:
  ///   - name: the name that debuggers show for the thread
  ///   - onThread: called first on the thread, to set its rounding
  /// - Throws: `ThreadError` if the system refuses another thread
  public init(_ name: String, onThread: @escaping @Sendable () -> Void = {}) throws(ThreadError) {
    try NewThread.start(name) { [desk] in
      onThread()
      desk.serve()
    }
  }

  deinit { desk.close() }

  /// Gives the thread work. The work given before must be finished.
  public func start(_ work: @escaping @Sendable () throws -> Void) { desk.give(work) }

  /// Waits for the end of the work.
  ///
  /// - Throws: what the work threw
  public func finish() throws { try desk.take().get() }

  /// Passes work to the thread and the outcome back. The condition guards all members.
  private final class Desk: @unchecked Sendable {
    private let condition = NSCondition()
    private var work: (@Sendable () throws -> Void)?
    private var outcome: Result<Void, any Error>?
    private var isClosed = false

    func give(_ work: @escaping @Sendable () throws -> Void) {
      condition.lock()
      precondition(self.work == nil && outcome == nil, "the preceding work is not finished")
      self.work = work
      condition.broadcast()
      condition.unlock()
    }

    func take() -> Result<Void, any Error> {
      condition.lock()
      defer { condition.unlock() }
      precondition(work != nil || outcome != nil, "no work was given")
      while outcome == nil { condition.wait() }
      defer { outcome = nil }
      return outcome!
    }

    func close() {
      condition.lock()
      isClosed = true
      condition.broadcast()
      condition.unlock()
    }

    func serve() {
      while true {
        condition.lock()
        while work == nil, !isClosed { condition.wait() }
        guard let work else { return condition.unlock() }
        condition.unlock()
        let result = Result { try work() }
        condition.lock()
        self.work = nil
        outcome = result
        condition.broadcast()
        condition.unlock()
      }
    }
  }
}
