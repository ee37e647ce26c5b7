// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Cores of a host, by their numbers.
struct CoreMask: Hashable, Sendable, CustomStringConvertible {
  private(set) var words: [UInt64]

  init(words: [UInt64]) { self.words = words }

  init(_ cores: some Swift.Sequence<Int>) {
    words = []
    for core in cores {
      while words.count <= core / 64 { words.append(0) }
      words[core / 64] |= 1 << UInt64(core % 64)
    }
  }

  /// The cores that the calling thread may run on, as mpirun, taskset or a batch system bound it;
  /// empty if the system does not report them.
  static var own: CoreMask {
    let status = try? String(contentsOfFile: "/proc/thread-self/status", encoding: .utf8)
    let name = "Cpus_allowed_list:"
    let line = status?.split(separator: "\n").first { $0.hasPrefix(name) }
    return CoreMask(list: line?.dropFirst(name.count) ?? "")
  }

  /// Parses a list of cores in Linux's form, such as "0-3,8".
  init(list: some StringProtocol) {
    let runs = list.split(separator: ",").map { run in
      run.split(separator: "-").compactMap { Int($0.trimmingCharacters(in: .whitespaces)) }
    }
    self.init(runs.filter { !$0.isEmpty }.flatMap { Array($0[0]...max($0[$0.count - 1], $0[0])) })
  }

  var count: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }

  var cores: [Int] {
    words.indices.flatMap { index in
      (0..<64).filter { words[index] >> UInt64($0) & 1 == 1 }.map { 64 * index + $0 }
    }
  }

  func overlaps(_ other: CoreMask) -> Bool {
    zip(words, other.words).contains { $0 & $1 != 0 }
  }

  func union(_ other: CoreMask) -> CoreMask {
    let (long, short) = words.count >= other.words.count ? (self, other) : (other, self)
    var result = long
    for index in short.words.indices { result.words[index] |= short.words[index] }
    return result
  }

  /// "core 3", "cores 0-3, 8".
  var description: String {
    var runs: [ClosedRange<Int>] = []
    for core in cores {
      if let last = runs.last, last.upperBound + 1 == core {
        runs[runs.count - 1] = last.lowerBound...core
      } else {
        runs.append(core...core)
      }
    }
    let list = runs.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }
    return (count == 1 ? "core " : "cores ") + list.joined(separator: ", ")
  }
}
