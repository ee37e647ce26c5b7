// SPDX-License-Identifier: Apache-2.0

/// A number with its noun: "1 sequence", "3 sequences".
public func counted(_ count: Int, _ noun: String) -> String {
  "\(count) \(noun)\(count == 1 ? "" : "s")"
}
