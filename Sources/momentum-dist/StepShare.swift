// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

/// A share of the steps on the command line: 0.01 or 1%.
struct StepShare: Equatable {
  /// 0...1
  let value: Double

  /// - Throws: `ValidationError` with the form that a share has
  init(_ text: String) throws {
    let isPercent = text.hasSuffix("%")
    let number = Double(isPercent ? text.dropLast() : text[...]).map { isPercent ? $0 / 100 : $0 }
    guard let number, (0...1).contains(number) else {
      throw ValidationError(
        "--audit is \(text); expected a share of the steps from 0 to 1, as in 0.01 or 1%.")
    }
    value = number
  }
}
