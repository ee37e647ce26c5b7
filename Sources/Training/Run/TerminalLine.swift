// SPDX-License-Identifier: Apache-2.0

import Files
import Foundation
import Synchronization
import Threads

#if canImport(Glibc)
  import Glibc
#endif

/// The line at the bottom of a terminal that shows the progress of a run. It is redrawn at most a
/// few times a second, and by a separate thread if nothing new is known for a while, so that a long
/// step does not look like a hang.
///
/// There is one per process, because there is one standard error.
final class TerminalLine: Sendable {
  static let shared = TerminalLine()

  /// What the line shows.
  struct Content: Sendable {
    var text: String
    /// The share of the run that is done.
    var fraction: Double
    /// Seconds to its end.
    var remaining: Double
  }

  private struct State {
    var content: Content?
    var updated = ContinuousClock.now
    var drawn = ContinuousClock.now - .seconds(1)
    var columns = 0
    var hasThread = false
  }

  private let state = Mutex(State())
  private let usesColor = ProcessInfo.processInfo.environment["NO_COLOR"] == nil

  /// Seconds between two drawings of new content.
  private static let period = 0.2

  /// Whether new content would be drawn now.
  var isDue: Bool {
    state.withLock { (ContinuousClock.now - $0.drawn).seconds >= Self.period }
  }

  /// Draws new content.
  func show(_ content: Content) {
    state.withLock { state in
      state.content = content
      state.updated = .now
      draw(&state)
      guard !state.hasThread else { return }
      state.hasThread = true
      // Without the thread the line is still drawn at every step.
      try? NewThread.start("progress") { [self] in keepAlive() }
    }
  }

  /// Writes text above the line, which the next drawing shows again.
  func write(_ text: String) {
    state.withLock { _ in Self.put("\r\u{1B}[K" + text) }
  }

  /// Removes the line, until something new is shown.
  func remove() {
    state.withLock { state in
      guard state.content != nil else { return }
      state.content = nil
      Self.put("\r\u{1B}[K")
    }
  }

  private func keepAlive() {
    while true {
      Thread.sleep(forTimeInterval: 0.25)
      state.withLock { state in
        guard state.content != nil else { return }
        let isOld = (ContinuousClock.now - state.drawn).seconds >= 1
        if isOld || state.columns != Terminal.columns(of: STDERR_FILENO) { draw(&state) }
      }
    }
  }

  private func draw(_ state: inout State) {
    guard let content = state.content else { return }
    state.drawn = .now
    state.columns = Terminal.columns(of: STDERR_FILENO)
    let waited = (state.drawn - state.updated).seconds
    Self.put(
      "\r\u{1B}[K"
        + Self.line(
          content, waited: waited >= 2 ? waited : nil, columns: state.columns, usesColor: usesColor)
    )
  }

  private static func put(_ text: String) {
    try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
  }

  /// The line for a terminal with this number of columns. The last column stays empty: a character
  /// there may start a new line.
  ///
  /// In a narrow terminal the bar is dropped first, then the end of the text, then the time left.
  ///
  /// - Parameter waited: seconds since the content was new; nil if they are few
  static func line(
    _ content: Content, waited: Double?, columns: Int, usesColor: Bool
  ) -> String {
    let room = max(columns - 1, 0)
    let tail =
      "  eta \(Progress.duration(content.remaining))"
      + (waited.map { "  (\(Progress.duration($0)) ago)" } ?? "")
    let text = content.text
    let width = min(24, room - text.count - tail.count - 1)
    if width >= 6 {
      let share = content.fraction.isFinite ? min(max(content.fraction, 0), 1) : 0
      let full = Int((share * Double(width)).rounded())
      let bar = String(repeating: "━", count: full)
      let rest = String(repeating: "─", count: width - full)
      let painted = usesColor ? "\u{1B}[32m\(bar)\u{1B}[0m\(rest)" : bar + rest
      return "\(painted) \(text)\(tail)"
    }
    if text.count + tail.count <= room { return text + tail }
    let left = room - tail.count - 1
    return left >= 8 ? "\(text.prefix(left))…\(tail)" : String((text + tail).prefix(room))
  }
}
