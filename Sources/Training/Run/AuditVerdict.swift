// SPDX-License-Identifier: Apache-2.0

import DataParallel
import Tensors

/// Decides which rank of an audit is wrong if the bits differ.
struct AuditVerdict: Equatable {
  /// The ranks that may be wrong; only one if it is known which.
  let suspects: [Int]
  /// The ranks that agree with each other and disagree with the suspect.
  let witnesses: [Int]
  /// What differs, as text for the message.
  let place: String
  private let audit: Audit

  /// - Parameter referee: what the third rank computed; nil without one
  init(
    _ audit: Audit, owner: ShardDigest, auditor: ShardDigest, referee: ShardDigest?,
    _ layout: ParameterLayout
  ) {
    self.audit = audit
    place = owner.firstDifference(from: auditor, layout) ?? "nothing"
    guard let third = audit.referee, let referee else {
      suspects = audit.owner == audit.auditor ? [audit.owner] : [audit.owner, audit.auditor]
      witnesses = []
      return
    }
    switch referee {
    case owner: (suspects, witnesses) = ([audit.auditor], [audit.owner, third])
    case auditor: (suspects, witnesses) = ([audit.owner], [audit.auditor, third])
    default: (suspects, witnesses) = ([audit.owner, audit.auditor, third], [])
    }
  }

  /// The message with which the run ends.
  ///
  /// - Parameter hosts: the name of each rank's host
  func text(on hosts: [String]) -> String {
    let names = suspects.sorted().map { "rank \($0) on \(hosts[$0])" }.joined(separator: ", ")
    let fault: String
    if !witnesses.isEmpty {
      let others = witnesses.sorted().map(String.init).joined(separator: " and ")
      fault = "\(names) is wrong in \(place): ranks \(others) agree on a different result"
    } else if suspects.count == 1 {
      fault = "\(names) computed it twice and got different bits in \(place)"
    } else {
      fault =
        "\(names) differ in \(place), and it is unknown which is right"
        + (suspects.count == 2 ? " (a third rank would decide)" : "")
    }
    return "step \(audit.step), virtual shard \(audit.shard): \(fault); ended before the update;"
      + " resume from the last checkpoint, without that host if it happens again: its processor or"
      + " memory may be at fault"
  }
}
