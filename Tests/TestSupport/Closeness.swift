// SPDX-License-Identifier: Apache-2.0

import Testing

/// Expects two lists of numbers to agree to a tolerance, and says where they agree least.
public func expectClose(
  _ computed: [Double], _ expected: [Double], absolute: Double = 0, relative: Double = 0,
  _ what: String = "", sourceLocation: SourceLocation = #_sourceLocation
) {
  guard computed.count == expected.count else {
    Issue.record(
      "\(what): \(computed.count) numbers, expected \(expected.count)",
      sourceLocation: sourceLocation)
    return
  }
  for (index, (a, b)) in zip(computed, expected).enumerated()
  where !(abs(a - b) <= absolute + relative * abs(b)) {
    Issue.record("\(what)[\(index)] is \(a), expected \(b)", sourceLocation: sourceLocation)
    return
  }
}
