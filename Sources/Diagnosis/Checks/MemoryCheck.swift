// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The memory that is available, and that a control group grants.
struct MemoryCheck {
  var available: Int
  var limit: Int?

  static func here() -> MemoryCheck {
    let text = FileManager.default.contents(atPath: "/proc/meminfo") ?? Data()
    let line = String(decoding: text, as: UTF8.self).split(separator: "\n")
      .first { $0.hasPrefix("MemAvailable:") }
    let kilobytes = line?.split(separator: " ").compactMap { Int($0) }.first ?? 0
    return MemoryCheck(available: kilobytes << 10, limit: ControlGroup.here().memoryBytes)
  }

  var finding: Finding {
    let room = min(available, limit ?? .max)
    let granted =
      limit.map { $0 < available ? ", the control group grants \(amount($0))" : "" } ?? ""
    let text = "\(amount(available)) available\(granted)"
    guard room >= 1 << 29 else {
      return .wrong(
        "memory", text,
        cure: "end other programs, or raise the limit; less is needed with a smaller batch_size and"
          + " --set dataset.memory=64")
    }
    guard room >= 1 << 31 else {
      return .note(
        "memory", text,
        cure: "--set dataset.memory=\(room >> 22) streams data sets that are larger")
    }
    return .good("memory", text, free: room)
  }
}
