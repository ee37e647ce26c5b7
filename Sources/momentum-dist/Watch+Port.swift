// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Files
import Foundation
import PageServer
import Reports
import Synchronization
import Training

extension Watch {
  /// Serves the run's page until Ctrl-C or SIGTERM.
  func serve(on port: UInt16) throws {
    _ = try look()  // a folder without a run is refused at once
    let (folder, cache) = (folder, PageCache(seconds: every))
    let server: PageServer
    do {
      server = try PageServer(port: port, policy: ReportPage.policy) {
        try cache.page { try page() }
      }
    } catch {
      throw RunFailure(.usage, error.description)
    }
    let interrupts = [SIGINT, SIGTERM].map { number in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler { Task { await server.stop() } }
      source.resume()
      return source
    }
    defer { interrupts.forEach { $0.cancel() } }
    let outcome = Mutex<RunFailure?>(nil)
    let ended = DispatchSemaphore(value: 0)
    Task {
      do throws(PageServerError) {
        try await server.run { port in
          print("\(folder): http://127.0.0.1:\(port) (Ctrl-C ends it)".visible)
          fflush(nil)
        } isShort: { line in
          Launch.say("momentum-dist: warning: \(line)")
        }
      } catch {
        outcome.withLock { $0 = RunFailure(.usage, error.description) }
      }
      ended.signal()
    }
    ended.wait()
    if let failure = outcome.withLock({ $0 }) { throw failure }
  }

  /// The page with the current state of the run.
  private func page() throws -> String {
    let (now, isOver) = try look()
    var page = Report.page(
      try RunRecord.all(at: folder).withDistinctLabels(), at: [folder])
    page.live = LiveState(now.text(at: Date(), ranks: ranks), every: isOver ? nil : every)
    return page.html
  }
}

/// Keeps a page for some seconds, so that many browsers make the program read a run once.
private final class PageCache: Sendable {
  private let seconds: Double
  private let kept = Mutex<(html: String, made: ContinuousClock.Instant)?>(nil)

  init(seconds: Double) { self.seconds = seconds }

  /// The kept page, or a new one if it is old.
  func page(_ make: () throws -> String) throws -> String {
    try kept.withLock { kept in
      let now = ContinuousClock().now
      // A bit less than the browser waits, so that it never gets the same page twice.
      if let kept, kept.made.duration(to: now) < .seconds(0.8 * seconds) { return kept.html }
      let html = try make()
      kept = (html, ContinuousClock().now)
      return html
    }
  }
}
