// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A fault that a test asks for by an environment variable, as `PLACE:STEP`: the rank or the virtual
/// shard, and a step. Any other value of the variable is ignored.
struct InjectedFault {
  let place: Int
  let step: Int

  init?(_ variable: String) {
    let text = ProcessInfo.processInfo.environment[variable] ?? ""
    let parts = text.split(separator: ":").map { Int($0) }
    guard parts.count == 2, let place = parts[0], let step = parts[1] else { return nil }
    (self.place, self.step) = (place, step)
  }
}
