// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Waits for what another process does.
public enum Waiting {
  /// Waits until a condition holds. The limit only ends a test that would hang: it allows for a
  /// machine that is busy with other tests.
  ///
  /// - Returns: whether it came to hold
  public static func until(_ condition: () throws -> Bool) rethrows -> Bool {
    let end = ContinuousClock().now + .seconds(100)
    while ContinuousClock().now < end {
      if try condition() { return true }
      Thread.sleep(forTimeInterval: 0.05)
    }
    return try condition()
  }
}
