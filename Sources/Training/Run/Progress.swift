// SPDX-License-Identifier: Apache-2.0

import Files
import Foundation

#if canImport(Glibc)
  import Glibc
#endif

/// The progress of a run, on standard error of rank 0: a bar that is redrawn if that is a terminal,
/// and a line per interval if it is a pipe or a file.
public struct Progress {
  private let isActive: Bool
  private let isTerminal: Bool
  private let name: String

  /// - Parameters:
  ///   - isActive: false on every rank but 0
  ///   - name: what every line begins with, if other runs write lines too; nil if this is alone
  public init(isActive: Bool, name: String? = nil) {
    self.isActive = isActive
    self.name = name.map { "\($0)  " } ?? ""
    // Several runs cannot share one bar.
    isTerminal = name == nil && isatty(STDERR_FILENO) == 1
  }

  /// A line that stays.
  public func say(_ text: String) {
    guard isActive else { return }
    let line = name + text.visible + "\n"
    if isTerminal {
      let columns = Terminal.columnsIfTerminal(STDERR_FILENO)
      let fitted = columns.map { Terminal.wrapped(text.visible, columns: $0) }
      return TerminalLine.shared.write(fitted.map { $0 + "\n" } ?? line)
    }
    try? FileHandle.standardError.write(contentsOf: Data(line.utf8))
  }

  /// Whether `update` would draw something now: between two intervals, on a terminal, and at most a
  /// few times a second.
  var isDue: Bool { isActive && isTerminal && TerminalLine.shared.isDue }

  /// Shows the state of the run between two intervals, only on a terminal.
  func update(_ text: String, fraction: Double, remaining: Double) {
    guard isActive, isTerminal else { return }
    TerminalLine.shared.show(.init(text: text, fraction: fraction, remaining: remaining))
  }

  /// Shows the state of the run at the end of an interval.
  func show(_ text: String, fraction: Double, remaining: Double) {
    guard isActive else { return }
    guard isTerminal else { return say("\(text)  eta \(Self.duration(remaining))") }
    update(text, fraction: fraction, remaining: remaining)
  }

  /// Removes the bar, so that the next text has its own line.
  public static func endLine() {
    TerminalLine.shared.remove()
  }

  /// Seconds as 12 s, 3 min 05 s or 2 h 10 min.
  public static func duration(_ seconds: Double) -> String {
    let whole = Int(max(seconds, 0).rounded())
    func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    if whole < 60 { return "\(whole) s" }
    if whole < 3600 { return "\(whole / 60) min \(two(whole % 60)) s" }
    return "\(whole / 3600) h \(two(whole / 60 % 60)) min"
  }
}
