// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Open MPI does not start as root unless two variables allow it.
struct RootCheck {
  var isRoot: Bool
  var isAllowed: Bool

  static let variables = ["OMPI_ALLOW_RUN_AS_ROOT", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"]

  static func here() -> RootCheck {
    let environment = ProcessInfo.processInfo.environment
    return RootCheck(
      isRoot: geteuid() == 0, isAllowed: variables.allSatisfy { environment[$0] == "1" })
  }

  var finding: Finding {
    if isRoot, !isAllowed {
      return .wrong(
        "user", "root, for whom mpirun does not start",
        cure: "export \(Self.variables[0])=1 \(Self.variables[1])=1, or be another user")
    }
    return .good("user", isRoot ? "root, which the environment allows mpirun" : "not root")
  }
}
