// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Whether ranks of one machine may read each other's memory, which saves a copy of large messages.
struct SingleCopyCheck {
  /// Yama's rule; nil if there is none.
  var scope: Int?

  static func here() -> SingleCopyCheck {
    let text = FileManager.default.contents(atPath: "/proc/sys/kernel/yama/ptrace_scope")
    return SingleCopyCheck(
      scope: text.flatMap {
        Int(String(decoding: $0, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines))
      })
  }

  var finding: Finding {
    guard let scope, scope > 1 else {
      return .good("single copy", "ranks of one machine may read each other's memory")
    }
    return .note(
      "single copy", "ptrace_scope is \(scope): large messages between ranks are copied twice",
      cure: "sysctl kernel.yama.ptrace_scope=1; or, against Open MPI's warnings, mpirun --mca"
        + " btl_vader_single_copy_mechanism none (4) or --mca smsc ^cma (5)")
  }
}
