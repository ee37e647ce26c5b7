// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// The MPI calls in progress, for a thread that watches this process.
///
/// MPI has no time limits: a call whose peer is lost does not return.
public enum Waits {
  private static let begun = Atomic<UInt64>(0)
  private static let ended = Atomic<UInt64>(0)

  /// A number that stays the same while MPI calls are in progress and none returns; nil if none is
  /// in progress.
  public static var current: UInt64? {
    let ended = ended.load(ordering: .acquiring)
    return begun.load(ordering: .acquiring) == ended ? nil : ended
  }

  /// Runs an MPI call.
  static func during<Result>(_ call: () -> Result) -> Result {
    begun.add(1, ordering: .acquiringAndReleasing)
    defer { ended.add(1, ordering: .acquiringAndReleasing) }
    return call()
  }
}
