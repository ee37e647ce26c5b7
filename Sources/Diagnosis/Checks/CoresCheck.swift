// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The cores that this process may run on, and the processor time that its control group grants.
struct CoresCheck {
  var allowed: Int
  var all: Int
  /// The cores' time that a control group, such as a container's, grants; nil without a limit.
  var granted: Double?

  /// - Parameter allowed: the cores that all ranks of a job may run on here; nil: those of this process
  static func here(allowed: Int? = nil) -> CoresCheck {
    let process = ProcessInfo.processInfo
    return CoresCheck(
      allowed: allowed ?? process.activeProcessorCount, all: process.processorCount,
      granted: ControlGroup.here().cores)
  }

  var finding: Finding {
    if let granted, granted < Double(allowed) {
      let ranks = max(1, Int(granted))
      return .note(
        "cores",
        "\(allowed) of \(all), of which the control group grants the time of"
          + String(format: " %.2g", granted),
        cure:
          "start at most \(ranks) rank\(ranks == 1 ? "" : "s") here, or raise the limit (docker run --cpus)"
      )
    }
    if allowed < all {
      return .note(
        "cores", "\(allowed) of \(all) may be used",
        cure: "if that is not meant: taskset, or mpirun --bind-to none")
    }
    return .good(
      "cores", "\(all): up to \(all) rank\(all == 1 ? "" : "s"), or fewer with a thread each")
  }
}
