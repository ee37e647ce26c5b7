// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A number as short text: few digits, and no exponent if it can be avoided.
public func brief(_ value: Double, digits: Int = 4) -> String {
  guard value.isFinite else { return "\(value)" }
  guard value != 0 else { return "0" }
  let magnitude = Int(log10(abs(value)).rounded(.down))
  if magnitude < -4 || magnitude > 6 { return String(format: "%.\(digits - 1)e", value) }
  return String(format: "%.\(max(digits - 1 - magnitude, 0))f", value)
}
