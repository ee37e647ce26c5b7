// SPDX-License-Identifier: Apache-2.0

extension PeerTable {
  /// The line with which a rank ends: what it waited for, who is missing, and what to do.
  ///
  /// - Parameter hosts: the names of the hosts of all ranks
  func report(_ culprits: [Culprit]?, hosts: [String]) -> String {
    let own = "rank \(rank) on \(hosts[rank])"
    let doing = "\(activity)"
    let cure = "ended on every rank; start again with --resume"
    if hasLostLauncher {
      return "\(own): its launcher, such as mpirun, is gone (\(doing)); \(cure)"
    }
    if stoppedSeconds >= 1 {
      return "\(own) was stopped for \(whole(stoppedSeconds)) (\(doing)), by a signal or with its"
        + " machine, and the others have ended; \(cure)"
    }
    guard let culprits else {
      return "\(own) waited \(whole(waitSeconds)) (\(doing)) and every rank answers: a message was"
        + " lost, or ranks disagree on what comes next; \(cure)"
    }
    if culprits.contains(where: { $0.rank == rank }) {
      return "\(own) kept the others waiting (\(doing), for \(whole(activitySeconds)));"
        + " \(cure)"
    }
    let names = culprits.map { describe($0, hosts: hosts) }.joined(separator: "; ")
    let waited =
      waitSeconds >= 1 ? "waited \(whole(waitSeconds)) (\(doing))" : "was at work (\(doing))"
    return "\(own) \(waited): \(names); \(cure)"
  }

  private func describe(_ culprit: Culprit, hosts: [String]) -> String {
    let name = "rank \(culprit.rank) on \(hosts[culprit.rank])"
    let last = peers[culprit.rank].last
    let known = last.map { " (last seen \($0.activity))" } ?? ""
    switch culprit.evidence {
    case .gone: return "the process of \(name) is gone\(known)"
    case .silent(let seconds):
      return last == nil
        ? "nothing was ever heard from \(name)"
        : "\(name) has been silent for \(whole(seconds))\(known)"
    case .stuck(let seconds):
      return "\(name) is stuck in \(last?.activity.phase.text ?? "?")"
        + (last.map { $0.activity.step > 0 ? ", step \($0.activity.step)," : "" } ?? "")
        + " for \(whole(seconds))"
    case .reported(let reporter):
      return "rank \(reporter) on \(hosts[reporter]) gave up on \(name)\(known)"
    }
  }

  private func whole(_ seconds: Double) -> String {
    seconds.magnitude < 1e15 ? "\(Int(seconds.rounded())) s" : "? s"
  }
}
