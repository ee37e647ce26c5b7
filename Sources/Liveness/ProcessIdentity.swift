// SPDX-License-Identifier: Apache-2.0

import Foundation

#if canImport(Glibc)
  import Glibc
#endif

/// A process of this host, distinct from a later one with the same number.
struct ProcessIdentity: Hashable, Sendable {
  let number: Int32
  /// When it was started, in clock ticks since the boot.
  let start: UInt64

  init(number: Int32, start: UInt64) {
    self.number = number
    self.start = start
  }

  /// This process.
  static var current: ProcessIdentity {
    ProcessIdentity(number: getpid(), start: stat(of: getpid())?.start ?? 0)
  }

  /// Whether it can be seen from here and has not ended. A stopped process is alive.
  var isAlive: Bool {
    guard let now = Self.stat(of: number) else { return false }
    return now.start == start && now.state != "Z" && now.state != "X"
  }

  /// Ends it, if it is still the same.
  ///
  /// The corresponding C function is `kill`, with `SIGKILL`.
  func end() {
    if isAlive { _ = kill(number, SIGKILL) }
  }

  /// The state and the start of a process, from /proc; nil if there is none with this number.
  private static func stat(of number: Int32) -> (state: Substring, start: UInt64)? {
    guard let data = FileManager.default.contents(atPath: "/proc/\(number)/stat") else {
      return nil
    }
    let text = String(decoding: data, as: UTF8.self)
    // The second field, the name, is in brackets and may contain any character.
    guard let bracket = text.lastIndex(of: ")") else { return nil }
    let fields = text[text.index(after: bracket)...].split(separator: " ")
    guard fields.count > 19, let start = UInt64(fields[19]) else { return nil }
    return (fields[0], start)
  }
}
