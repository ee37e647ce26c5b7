// SPDX-License-Identifier: Apache-2.0

import Foundation

/// What the hosts of a job have in common, and what sets them apart.
struct HostComparison {
  /// One record of each host; that of rank 0 first.
  let records: [HostRecord]

  /// A clock that is further from rank 0's, in seconds, makes times in logs and on files misleading.
  static let clockLimit = 2.0

  var findings: [Finding] {
    let comparisons = records.count > 1 ? [program, versions, output, clock] : []
    return grouped + (comparisons + [ranks]).compactMap { $0 }
  }

  /// The findings of each check: one if all hosts agree, otherwise one for each group of hosts.
  private var grouped: [Finding] {
    var checks: [String] = []
    for finding in records.flatMap(\.findings) where !checks.contains(finding.check) {
      checks.append(finding.check)
    }
    return checks.flatMap { check in least(check).map { [$0] } ?? groups(of: check) }
  }

  /// The finding with the least free bytes, if every host has enough; nil of other checks.
  private func least(_ check: String) -> Finding? {
    let own = records.compactMap { record in record.findings.first { $0.check == check } }
    let free = own.compactMap(\.free)
    guard records.count > 1, free.count == records.count, let least = free.min(),
      let place = free.firstIndex(of: least)
    else { return nil }
    return own[place].least(on: records[place].host)
  }

  private func groups(of check: String) -> [Finding] {
    groups { record in record.findings.first { $0.check == check } }.compactMap {
      finding, hosts in
      finding.map { hosts.count == records.count ? $0 : $0.on(hosts) }
    }
  }

  /// All hosts must run the same program: another build may have other bits or messages.
  private var program: Finding? {
    let files = groups(\.program.sha256)
    let paths = records.map(\.program.path)
    guard files.count == 1 else {
      return .wrong(
        "program",
        "the hosts run different programs: "
          + listed(
            groups(\.program).map { file, hosts in
              "\(file.path) (SHA-256 \(file.sha256?.prefix(8) ?? "unknown")) on \(Self.names(hosts))"
            }), cure: "install the same archive on every host")
    }
    guard Set(paths).count == 1 else {
      return .note(
        "program",
        "the same program, under different paths: "
          + listed(groups(\.program.path).map { "\($0) on \(Self.names($1))" }),
        cure: "install it under one path, so that mpirun finds it on every host")
    }
    let digest = files[0].0.map { ", SHA-256 \($0.prefix(8))" } ?? ""
    return .good("program", "\(paths[0]) on all hosts\(digest)")
  }

  /// Libraries of different versions usually work together, but they are not tested together.
  private var versions: Finding? {
    let unlike = ["Open MPI", "OpenBLAS", "HDF5"].filter { check in
      groups { record in record.findings.first { $0.check == check }?.text }.count > 1
    }
    guard !unlike.isEmpty else { return nil }
    return .note(
      "libraries",
      "\(listed(unlike)) differ\(unlike.count == 1 ? "s" : "") between hosts (see above)",
      cure: "install the same packages on every host")
  }

  private var output: Finding? {
    let blind = records.filter { $0.seesOutput == false }.map(\.host)
    guard records.allSatisfy({ $0.seesOutput != nil }) else { return nil }
    guard !blind.isEmpty else {
      return .good("shared folder", "every host sees the folder for runs")
    }
    return .wrong(
      "shared folder",
      "\(Self.names(blind)) \(blind.count == 1 ? "does" : "do") not see what"
        + " \(records[0].host) writes to the folder for runs",
      cure: "choose an --output on a file system that all hosts share")
  }

  private var clock: Finding? {
    let late = records.filter { abs($0.clockOffset) > Self.clockLimit }
    guard let worst = late.max(by: { abs($0.clockOffset) < abs($1.clockOffset) }) else {
      let offsets = records.map(\.clockOffset)
      let spread = (offsets.max() ?? 0) - (offsets.min() ?? 0)
      return .good("clocks", String(format: "at most %.1f ms apart", 1000 * spread))
    }
    let others = late.count == 1 ? "" : " (and \(late.count - 1) more)"
    return .note(
      "clocks",
      "\(worst.host)\(others) is"
        + String(
          format: " %.1f s %@", abs(worst.clockOffset),
          worst.clockOffset > 0 ? "ahead of" : "behind")
        + " \(records[0].host): times in logs and on files mislead",
      cure: "start a time service, such as chrony, on every host")
  }

  private var ranks: Finding? {
    let sum = records.reduce(0) { $0 + $1.ranks }
    let counts = groups(\.ranks).map { "\($0) on \(Self.names($1))" }
    return .good(
      "ranks",
      "\(sum) on \(records.count == 1 ? "one host" : "\(records.count) hosts") are connected"
        + (counts.count == 1 ? "" : ": " + listed(counts)))
  }

  /// The hosts of each value, in the order in which the values first appear.
  private func groups<Value: Equatable>(
    _ value: (HostRecord) -> Value
  ) -> [(Value, hosts: [String])] {
    var groups: [(Value, hosts: [String])] = []
    for record in records {
      let own = value(record)
      if let index = groups.firstIndex(where: { $0.0 == own }) {
        groups[index].hosts.append(record.host)
      } else {
        groups.append((own, [record.host]))
      }
    }
    return groups
  }

  private func listed(_ words: [String]) -> String { words.joined(separator: ", ") }

  /// "node1, node2, node3 and 5 more".
  static func names(_ hosts: [String]) -> String {
    let shown = hosts.count > 4 ? 3 : hosts.count
    let rest = hosts.count > shown ? " and \(hosts.count - shown) more" : ""
    return hosts.prefix(shown).joined(separator: ", ") + rest
  }
}
