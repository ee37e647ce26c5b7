import Datasets
import Kernels
import Tensors

/// Trials to be measured on, each once for every fold: fold f hides the steps t with t mod F = f and
/// asks for them alone.
///
/// A model that sees the counts it is judged by copies them, and scores more bits a spike than the
/// true rates. Over all folds each step is asked for once, by a model that has not seen it.
struct FoldedSpikes: SequenceSource {
  let base: any SequenceSource
  /// F
  let folds: Int

  var count: Int { base.count * folds }
  var steps: Int { base.steps }
  var features: Int { base.features }
  var targetKind: TargetKind { base.targetKind }
  var notes: [String] { base.notes }
  var isReady: Bool { base.isReady }

  func read(
    _ indices: ArraySlice<Int>, into x: Tensor<Float>
  ) throws(DatasetError) -> SequenceTargets {
    let all = try base.read(trials(indices), into: x)
    let (T, N, C, K) = (x.shape[0], x.shape[1], features, targetKind.outputs)
    var whole = all.whole
    x.withMutableSpan { x in
      for (n, index) in indices.enumerated() {
        for t in 0..<T {
          let row = t * N + n
          if t % folds == index % folds {
            for c in 0..<C { x[row * C + c] = 0 }
          } else {
            for c in 0..<K { whole[row * K + c] = -1 }
          }
        }
      }
    }
    return SequenceTargets(all.kind, whole: whole, rates: all.numbers)
  }

  func prefetch(_ indices: ArraySlice<Int>) throws(DatasetError) {
    try base.prefetch(trials(indices))
  }

  /// That of the trials.
  func identity() throws(DatasetError) -> DataIdentity.Part { try base.identity() }

  private func trials(_ indices: ArraySlice<Int>) -> ArraySlice<Int> {
    indices.map { $0 / folds }[...]
  }
}
