// SPDX-License-Identifier: Apache-2.0

/// The host whose results an audit found to be wrong. `launch/supervise --fewer` reads its note to
/// continue without that host.
public struct WrongHost: Equatable, Sendable, Codable {
  /// The name of the host.
  public let name: String

  /// - Parameters:
  ///   - suspects: the ranks that may be wrong
  ///   - hosts: the name of each rank's host
  /// - Returns: nil if the suspects are on several hosts, so that it is unknown which is wrong
  init?(suspects: [Int], hosts: [String]) {
    let names = Set(suspects.map { hosts[$0] })
    guard let name = names.first, names.count == 1 else { return nil }
    self.name = name
  }

  /// The lines of the file `RunFolder.hostNote`: the name of the host, then each host, in the order
  /// of its first rank, with its number of ranks.
  ///
  /// - Parameter hosts: the name of each rank's host, of all ranks of the job
  public func note(hosts: [String]) -> String {
    var counts: [String: Int] = [:]
    for host in hosts { counts[host, default: 0] += 1 }
    var lines = [name]
    for host in hosts {
      if let count = counts.removeValue(forKey: host) { lines.append("\(host) \(count)") }
    }
    return lines.joined(separator: "\n") + "\n"
  }
}
