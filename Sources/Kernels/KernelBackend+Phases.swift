// SPDX-License-Identifier: Apache-2.0

import CVec
import KernelInterface

extension KernelBackend {
  /// Measures the seconds of each part of the fused layers' passes in `body`. Only one benchmark
  /// may run at a time, because passes on other threads would be counted too.
  public static func phases<Failure>(
    of body: () throws(Failure) -> Void
  ) throws(Failure) -> [KernelPhase: Double] {
    let ticks = counts
    ticks.update(repeating: 0, count: countsLength)
    KernelPhase.ticks = ticks
    defer { KernelPhase.ticks = nil }
    let (clock, before) = (ContinuousClock(), cvec_ticks())
    let start = clock.now
    try body()
    let seconds = (clock.now - start) / .seconds(1)
    let secondsPerTick = seconds / Double(max(cvec_ticks() - before, 1))
    return Dictionary(
      uniqueKeysWithValues: KernelPhase.allCases.map {
        ($0, Double(ticks[1 + $0.rawValue]) * secondsPerTick)
      })
  }

  private static let countsLength = 1 + KernelPhase.allCases.count

  /// The memory for the counts. It is never freed, because a pass on another thread may still use
  /// it.
  private nonisolated(unsafe) static let counts = {
    let counts = UnsafeMutablePointer<UInt64>.allocate(capacity: countsLength)
    counts.initialize(repeating: 0, count: countsLength)
    return counts
  }()
}
