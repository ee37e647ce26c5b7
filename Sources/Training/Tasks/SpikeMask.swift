// SPDX-License-Identifier: Apache-2.0

import Configuration
import Kernels
import Models
import RandomNumbers
import Tensors

/// The masks of one epoch. Those of a trial follow from seed, epoch and the trial's index.
///
/// Each step starts a span of w steps with probability ratio / w. w is 1, or, with the ramp's
/// probability, uniform in 1 ... the longest span. A trial in which no span starts gets one, so
/// that every trial contributes to the loss.
struct SpikeMask {
  private let settings: MaskingSettings
  private let largestCount: Int
  private let seed: UInt64
  private let epoch: Int

  /// - Parameter largestCount: random counts are below this, as the authors draw them
  init(_ settings: MaskingSettings, largestCount: Int, seed: UInt64, epoch: Int) {
    self.settings = settings
    self.largestCount = max(largestCount, 1)
    self.seed = seed
    self.epoch = epoch
  }

  /// Hides masked steps in x, and keeps as targets only the counts of masked steps, and those of
  /// the neurons that are not inputs.
  func apply(to batch: inout SequenceBatch<Float>, _ trials: ArraySlice<Int>) {
    let (T, N, C) = (batch.x.shape[0], batch.x.shape[1], batch.x.shape[2])
    let K = batch.targets.kind.outputs
    var targets = batch.targets.whole
    batch.x.withMutableSpan { x in
      for (n, trial) in trials.enumerated() {
        var stream = RandomStream(seed: seed, purpose: .masking, step: epoch, index: trial)
        let isMasked = steps(T, &stream)
        for t in 0..<T {
          let row = t * N + n
          for c in 0..<C {
            if isMasked[t] {
              x[row * C + c] = hidden(x[row * C + c], &stream)
            } else {
              targets[row * K + c] = -1
            }
          }
        }
      }
    }
    batch.targets = SequenceTargets(batch.targets.kind, whole: targets)
  }

  /// Which of T steps are masked.
  func steps(_ T: Int, _ stream: inout RandomStream) -> [Bool] {
    let isLong = settings.maximumSpan > 1 && stream.uniform() < ramp
    let width = isLong ? 1 + stream.below(settings.maximumSpan) : 1
    var isMasked = [Bool](repeating: false, count: T)
    func mask(_ start: Int) {
      for t in start + width / 2 - width + 1...start + width / 2 where isMasked.indices ~= t {
        isMasked[t] = true
      }
    }
    for t in 0..<T where stream.uniform() < settings.ratio / Double(width) { mask(t) }
    if !isMasked.contains(true) { mask(stream.below(T)) }
    return isMasked
  }

  /// The probability that a trial draws the length of its spans.
  private var ramp: Double {
    if epoch >= settings.rampEnd { return 1 }
    return max(
      0, Double(epoch - settings.rampStart) / Double(settings.rampEnd - settings.rampStart))
  }

  /// What a model sees in place of a masked count.
  private func hidden(_ count: Float, _ stream: inout RandomStream) -> Float {
    if stream.uniform() < settings.zeroRatio { return 0 }
    return stream.uniform() < settings.randomRatio ? Float(stream.below(largestCount)) : count
  }
}
