// SPDX-License-Identifier: Apache-2.0

import Foundation
import Models
import Reports

// The text forms of what an objective reports.

extension ChanceLoss: CustomStringConvertible {
  /// "2.303 is ln 10, guessing"
  public var description: String { "\(brief(value)) is \(meaning)" }
}

extension Metric {
  /// "accuracy 97.35 %"
  public var text: String {
    switch form {
    case .percentage(let name): String(format: "\(name) %.2f %%", 100 * value)
    case .named(let name): "\(name) \(brief(value))"
    case .unit(let unit): "\(brief(value)) \(unit)"
    }
  }
}
