// SPDX-License-Identifier: Apache-2.0

import RandomNumbers
import Tensors

/// The adding problem (Hochreiter and Schmidhuber, 1997), generated on the fly.
///
/// Each step carries a number drawn uniformly from [0, 1) and a marker that is 1 at two steps, one
/// in either half of the sequence, and 0 elsewhere. The target is the sum of the two marked
/// numbers. Answering 1 always has a mean squared error of 1/6.
public struct AddingProblem: SequenceSource {
  public let count: Int
  public let steps: Int
  private let seed: UInt64
  private let part: DatasetFile.Part

  public var features: Int { 2 }
  public var targetKind: TargetKind { .values(1) }

  /// The mean squared error of answering 1 to every sequence.
  public static let chanceError = 1.0 / 6
  /// A description of the answer that `chanceError` measures.
  public static let chanceMeaning = "answering 1 always"

  /// - Parameters:
  ///   - count: the number of sequences
  ///   - steps: T, at least 2
  ///   - seed: a different seed gives different sequences
  ///   - part: each part has different sequences
  public init(count: Int, steps: Int, seed: UInt64, part: DatasetFile.Part) {
    precondition(steps >= 2, "two markers need two steps")
    self.count = count
    self.steps = steps
    self.seed = seed
    self.part = part
  }

  public func read(
    _ indices: ArraySlice<Int>, into x: Tensor<Float>
  ) throws(DatasetError) -> SequenceTargets {
    let (T, N) = (steps, indices.count)
    precondition(x.shape == [T, N, 2], "a buffer of \(x.shape) for [\(T), \(N), 2]")
    let partNumber = DatasetFile.Part.allCases.firstIndex(of: part)!
    var targets: [Float] = []
    x.withMutableSpan { x in
      for (n, index) in indices.enumerated() {
        var stream = RandomStream(
          seed: seed, purpose: .generatedData, step: partNumber, index: index)
        let half = max((T - 1) / 2, 1)
        let first = stream.below(half)
        let second = half + stream.below(T - half)
        var target: Float = 0
        for t in 0..<T {
          let value = Float(stream.uniform())
          let isMarked = t == first || t == second
          x[(t * N + n) * 2] = value
          x[(t * N + n) * 2 + 1] = isMarked ? 1 : 0
          if isMarked { target += value }
        }
        targets.append(target)
      }
    }
    return .values(targets, of: 1)
  }
}
