// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The limits of this process's control group and of those above it.
struct ControlGroup {
  /// The lines of /proc/self/cgroup: number, controllers, path.
  let lines: [(controllers: [String], path: String)]

  static func here() -> ControlGroup {
    let data = FileManager.default.contents(atPath: "/proc/self/cgroup") ?? Data()
    return ControlGroup(String(decoding: data, as: UTF8.self))
  }

  init(_ text: String) {
    lines = text.split(separator: "\n").compactMap { line in
      let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard fields.count == 3 else { return nil }
      return (fields[1].split(separator: ",").map(String.init), String(fields[2]))
    }
  }

  /// The folders that may hold a controller's limits, from the process's group up to the root.
  func folders(of controller: String, root: String = "/sys/fs/cgroup") -> [String] {
    let top: String
    let path: String
    if let line = lines.first(where: { $0.controllers.contains(controller) }) {
      (top, path) = ("\(root)/\(controller)", line.path)
    } else if let line = lines.first(where: { $0.controllers.isEmpty }) {
      (top, path) = (root, line.path)
    } else {
      return []
    }
    var parts = path.split(separator: "/").map(String.init)
    var folders: [String] = []
    while !parts.isEmpty {
      folders.append("\(top)/" + parts.joined(separator: "/"))
      parts.removeLast()
    }
    return folders + [top]
  }

  /// The numbers in files of a name, in all groups that have it.
  private func numbers(_ controller: String, _ name: String) -> [[Double?]] {
    folders(of: controller).compactMap { folder in
      FileManager.default.contents(atPath: "\(folder)/\(name)").map {
        String(decoding: $0, as: UTF8.self).split(whereSeparator: \.isWhitespace).map { Double($0) }
      }
    }
  }

  /// How many cores' time may be used; nil without a limit.
  var cores: Double? {
    let two = numbers("cpu", "cpu.max").compactMap { values -> Double? in
      guard values.count == 2, let quota = values[0], let period = values[1] else { return nil }
      return quota / period
    }
    let periods = numbers("cpu", "cpu.cfs_period_us").compactMap { $0.first ?? nil }
    let one = zip(numbers("cpu", "cpu.cfs_quota_us").compactMap { $0.first ?? nil }, periods)
      .compactMap { $0 > 0 ? $0 / $1 : nil }
    return (two + one).min()
  }

  /// How many bytes may be used; nil without a limit.
  var memoryBytes: Int? {
    (numbers("memory", "memory.max") + numbers("memory", "memory.limit_in_bytes"))
      .compactMap { ($0.first ?? nil).flatMap { $0 < 0x1p60 ? Int($0) : nil } }.min()
  }
}
