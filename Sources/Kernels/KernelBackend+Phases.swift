// SPDX-License-Identifier: Apache-2.0

import CVec
import KernelInterface

extension KernelBackend {
  /// The seconds of each part of the fused layers' passes in `body`, as far as the calling thread
  /// takes them. For one benchmark at a time: no other thread may run a layer meanwhile.
  public static func phases<Failure>(
    of body: () throws(Failure) -> Void
  ) throws(Failure) -> [KernelPhase: Double] {
    let count = 1 + KernelPhase.allCases.count
    let ticks = UnsafeMutablePointer<UInt64>.allocate(capacity: count)
    ticks.initialize(repeating: 0, count: count)
    KernelPhase.ticks = ticks
    defer {
      KernelPhase.ticks = nil
      ticks.deallocate()
    }
    let (clock, before) = (ContinuousClock(), cvec_ticks())
    let start = clock.now
    try body()
    let elapsed = (clock.now - start).components
    let seconds = Double(elapsed.seconds) + Double(elapsed.attoseconds) * 1e-18
    let secondsPerTick = seconds / Double(max(cvec_ticks() - before, 1))
    return Dictionary(
      uniqueKeysWithValues: KernelPhase.allCases.map {
        ($0, Double(ticks[1 + $0.rawValue]) * secondsPerTick)
      })
  }
}
