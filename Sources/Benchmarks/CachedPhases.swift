// SPDX-License-Identifier: Apache-2.0

import KernelInterface
import Kernels

/// How long the parts of fused layers take with all data in the caches: the best times of many
/// short passes over one shard's rows, scaled to the full work.
struct CachedPhases {
  /// N and T of the full work.
  let (rows, steps): (Int, Int)
  /// N and T of the short passes.
  let (shortRows, shortSteps): (Int, Int)
  private var best: [KernelPhase: Double] = [:]

  init(rows: Int, steps: Int, shards: Int) {
    (self.rows, self.steps) = (rows, steps)
    (shortRows, shortSteps) = (min(max(rows / shards, 1), 48), min(steps, 8))
  }

  /// Times 200 short passes.
  ///
  /// - Returns: whether the layers have parts; only fused ones do
  mutating func measure(_ pass: () throws -> Void) rethrows -> Bool {
    for round in 0..<220 {
      let phases = try KernelBackend.phases(of: pass)
      guard phases.values.contains(where: { $0 > 0 }) else { return false }
      if round >= 20 { best.merge(phases, uniquingKeysWith: min) }
    }
    return true
  }

  /// The seconds of a part of the full work.
  subscript(phase: KernelPhase) -> Double {
    // The weights are packed once a step, regardless of how much work follows.
    if phase == .packing { return best[phase] ?? 0 }
    // The last time step has no later step whose gradient is multiplied.
    let left = phase == .productBackward ? 1 : 0
    let times = Double(rows * (steps - left)) / Double(shortRows * max(shortSteps - left, 1))
    return times * (best[phase] ?? 0)
  }
}
