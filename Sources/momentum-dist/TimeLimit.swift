// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

/// A time on the command line: 90s, 45m, 1h30m, 2d.
struct TimeLimit: Equatable {
  let seconds: Double

  /// - Throws: `ValidationError` with the form that a time has
  init(_ text: String) throws {
    guard let limit = TimeLimit(argument: text) else {
      throw ValidationError("--max-time is \(text); give units, as in 90s, 45m, 1h30m or 2d.")
    }
    self = limit
  }

  private init?(argument: String) {
    let units = ["s": 1.0, "m": 60, "h": 3600, "d": 86400]
    var (sum, digits, isComplete) = (0.0, "", false)
    for character in argument.lowercased() {
      if let unit = units[String(character)] {
        guard let number = Double(digits) else { return nil }
        sum += number * unit
        (digits, isComplete) = ("", true)
      } else {
        guard character.isASCII, character.isNumber || character == "." else { return nil }
        digits.append(character)
        isComplete = false
      }
    }
    guard isComplete, sum > 0, sum.isFinite else { return nil }
    seconds = sum
  }
}
