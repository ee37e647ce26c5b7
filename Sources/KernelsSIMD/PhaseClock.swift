// SPDX-License-Identifier: Apache-2.0

internal import CVec
import KernelInterface

/// Counts the time of the parts of a pass, if a benchmark asks for it; see `KernelPhase.ticks`.
struct PhaseClock {
  private let ticks: UnsafeMutablePointer<UInt64>?

  /// Starts counting.
  @inline(__always)
  init() {
    ticks = KernelPhase.ticks
    if let ticks { ticks[0] = cvec_ticks() }
  }

  /// Adds the time since the last call to a part.
  @inline(__always)
  func lap(_ phase: KernelPhase) {
    guard let ticks else { return }
    let now = cvec_ticks()
    ticks[1 + phase.rawValue] += now - ticks[0]
    ticks[0] = now
  }
}
