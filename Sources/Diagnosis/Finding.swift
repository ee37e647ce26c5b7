// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The result of a check of this machine.
public struct Finding: Codable, Sendable, Equatable {
  /// How a check ended.
  public enum State: String, Codable, Sendable {
    /// Nothing needs to be done.
    case good
    /// It works, but not as well as it could.
    case note
    /// It does not work.
    case wrong
  }

  /// The subject of the check, in a word or two.
  public let check: String
  /// How the check ended.
  public let state: State
  /// What the check found.
  public let text: String
  /// The command or other action that fixes it; nil if nothing needs fixing.
  public let cure: String?
  /// The free bytes, if nothing is wrong with them.
  public private(set) var free: Int?
  /// The hosts that it was found on, if those are not all of the job.
  public private(set) var hosts: [String]?

  /// The finding of all hosts, of which `host` has the least free bytes.
  func least(on host: String) -> Finding {
    Finding(
      check: check, state: state, text: "\(text) on \(host), the least of all hosts", cure: cure,
      free: free)
  }

  /// The finding, of these hosts only.
  func on(_ hosts: [String]) -> Finding {
    var finding = self
    finding.hosts = hosts
    return finding
  }

  /// - Parameter free: the free bytes that the text is about, which differ a little on every host
  static func good(_ check: String, _ text: String, free: Int? = nil) -> Finding {
    Finding(check: check, state: .good, text: text, cure: nil, free: free)
  }

  static func note(_ check: String, _ text: String, cure: String) -> Finding {
    Finding(check: check, state: .note, text: text, cure: cure)
  }

  static func wrong(_ check: String, _ text: String, cure: String) -> Finding {
    Finding(check: check, state: .wrong, text: text, cure: cure)
  }

  /// One line, and below it how to fix what is wrong.
  public var lines: String {
    let mark = state == .good ? "ok   " : state == .note ? "note " : "WRONG"
    let title = check.padding(toLength: max(14, check.count), withPad: " ", startingAt: 0)
    let place = hosts.map { HostComparison.names($0) + ": " } ?? ""
    let own = "\(mark)  \(title)  \(place)\(text)"
    return cure.map { "\(own)\n                       fix: \($0)" } ?? own
  }
}

/// A number of bytes in a readable unit.
func amount(_ bytes: Int) -> String {
  let units = ["B", "KB", "MB", "GB", "TB"]
  var (value, unit) = (Double(bytes), 0)
  while value >= 1024, unit + 1 < units.count { (value, unit) = (value / 1024, unit + 1) }
  return unit == 0 || value >= 100
    ? "\(Int(value.rounded())) \(units[unit])" : String(format: "%.1f %@", value, units[unit])
}
