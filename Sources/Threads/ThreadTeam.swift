// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The calling thread and `count - 1` more threads, which wait for work and live as long as the
/// team.
///
///     let team = ThreadTeam(2)
///     team.run { index in ... }        // once for each index, in parallel
///
/// The calling thread has index 0. Only one thread may give a team work at a time.
public final class ThreadTeam: Sendable {
  /// The number of threads, including the calling thread.
  public let count: Int
  private let desk = Desk()

  /// The calling thread alone.
  public static let alone = ThreadTeam()

  private init() { count = 1 }

  /// - Parameters:
  ///   - count: the number of threads, including the calling one
  ///   - onThread: called first on each new thread, to set its rounding
  /// - Throws: `ThreadError` if the system refuses one of the threads
  public convenience init(
    _ count: Int, onThread: @escaping @Sendable () -> Void = {}
  ) throws(ThreadError) {
    try self.init(count, stackBytes: nil, onThread: onThread)
  }

  /// - Parameter stackBytes: see `NewThread.start`
  init(
    _ count: Int, stackBytes: Int?, onThread: @escaping @Sendable () -> Void
  ) throws(ThreadError) {
    precondition(count > 0, "a team of \(count)")
    self.count = count
    for index in 1..<count {
      do throws(ThreadError) {
        try NewThread.start("compute \(index)", stackBytes: stackBytes) { [desk] in
          onThread()
          desk.serve(index)
        }
      } catch {
        desk.close()  // ends those that did start
        throw error
      }
    }
  }

  deinit { desk.close() }

  /// Calls `body` once with each of 0 ..< `count`, in parallel, and waits for all calls.
  ///
  /// The calls must not write to overlapping memory or read what another call writes. This is not
  /// checked.
  public func run(_ body: (Int) -> Void) {
    if count == 1 { return body(0) }
    withoutActuallyEscaping(body) { body in
      desk.give(body, to: count - 1)
      body(0)
      desk.waitForAll()
    }
  }

  /// The results of `body` for each of 0 ..< `wanted`, computed in parallel.
  ///
  /// - Parameters:
  ///   - wanted: the number of results, at most the number of threads
  ///   - body: computes the result with this index
  public func map<Result>(_ wanted: Int, _ body: (Int) -> Result) -> [Result] {
    precondition(wanted <= count, "\(wanted) parts for a team of \(count)")
    if wanted == 1 { return [body(0)] }
    var results = [Result?](repeating: nil, count: wanted)
    results.withUnsafeMutableBufferPointer { results in
      let results = results
      run { if $0 < wanted { results[$0] = body($0) } }
    }
    return results.map { $0! }
  }
}

/// Passes work to the threads of a team. The condition guards all members.
private final class Desk: @unchecked Sendable {
  private let condition = NSCondition()
  private var work: ((Int) -> Void)?
  /// The number of the piece of work, so that each thread takes each piece once.
  private var number = 0
  private var unfinished = 0
  private var isClosed = false

  func give(_ work: @escaping (Int) -> Void, to others: Int) {
    condition.lock()
    precondition(unfinished == 0, "a team has one piece of work at a time")
    self.work = work
    unfinished = others
    number += 1
    condition.broadcast()
    condition.unlock()
  }

  func waitForAll() {
    condition.lock()
    while unfinished > 0 { condition.wait() }
    work = nil
    condition.unlock()
  }

  func close() {
    condition.lock()
    isClosed = true
    condition.broadcast()
    condition.unlock()
  }

  /// The loop of the thread with this index.
  func serve(_ index: Int) {
    var done = 0
    while true {
      condition.lock()
      while number == done, !isClosed { condition.wait() }
      if number == done { return condition.unlock() }
      done = number
      var work = self.work
      condition.unlock()
      work?(index)
      work = nil  // before `run` returns, because no thread may hold the work then
      condition.lock()
      unfinished -= 1
      if unfinished == 0 { condition.broadcast() }
      condition.unlock()
    }
  }
}
