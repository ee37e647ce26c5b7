// SPDX-License-Identifier: Apache-2.0

import Datasets
import Kernels
import Tensors

/// Trials to evaluate on, each once for every fold: fold f hides the steps t with t mod F = f and
/// scores only those.
///
/// A model that sees the counts that it is scored on can copy them, and scores more bits per spike
/// than the true rates. Over all folds each step is scored once, by a model that has not seen it.
///
/// Held-out neurons can have an extra pass, which hides nothing and scores only them, at every
/// step: the co-smoothing of the Neural Latents Benchmark (Pei et al., 2021).
struct FoldedSpikes: SequenceSourceWrapper {
  let base: any SequenceSource
  /// F.
  let folds: Int
  var hasHeldOutPass = false

  /// How often each trial is run.
  var passes: Int { folds + (hasHeldOutPass ? 1 : 0) }
  var count: Int { base.count * passes }

  func length(of index: Int) -> Int { base.length(of: index / passes) }
  func readTimes(
    _ indices: ArraySlice<Int>, into times: Tensor<Double>
  ) throws(DatasetError) { try base.readTimes(trials(indices), into: times) }

  func read(
    _ indices: ArraySlice<Int>, into x: Tensor<Float>
  ) throws(DatasetError) -> SequenceTargets {
    let all = try base.read(trials(indices), into: x)
    let (T, N, C, K) = (x.shape[0], x.shape[1], features, targetKind.outputs)
    var whole = all.whole
    x.withMutableSpan { x in
      for (n, index) in indices.enumerated() {
        let pass = index % passes
        for t in 0..<T {
          let row = t * N + n
          let isHidden = pass < folds && t % folds == pass
          let asked = pass == folds ? C..<K : !isHidden ? 0..<0 : 0..<(hasHeldOutPass ? C : K)
          if isHidden { for c in 0..<C { x[row * C + c] = 0 } }
          for c in 0..<K where !asked.contains(c) { whole[row * K + c] = -1 }
        }
      }
    }
    return SequenceTargets(all.kind, whole: whole, rates: all.numbers)
  }

  func prefetch(_ indices: ArraySlice<Int>) throws(DatasetError) {
    try base.prefetch(trials(indices))
  }

  private func trials(_ indices: ArraySlice<Int>) -> ArraySlice<Int> {
    indices.map { $0 / passes }[...]
  }
}
