// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Waits for what another process does.
public enum Waiting {
  /// How many times longer than on an idle machine a program may take: the processes that are ready to
  /// run for each core, 1 to 8. A limit against hangs that is multiplied by it stays one.
  public static var patience: Double {
    var loads = [Double](repeating: 0, count: 1)
    guard getloadavg(&loads, 1) == 1 else { return 1 }
    return min(max(loads[0] / Double(ProcessInfo.processInfo.activeProcessorCount), 1), 8)
  }

  /// Waits until a condition holds. The limit only ends a test that would hang: it allows for a
  /// machine that is busy with other tests.
  ///
  /// - Returns: whether it came to hold
  public static func until(_ condition: () throws -> Bool) rethrows -> Bool {
    let end = ContinuousClock().now + .seconds(100 * patience)
    while ContinuousClock().now < end {
      if try condition() { return true }
      Thread.sleep(forTimeInterval: 0.05)
    }
    return try condition()
  }
}
