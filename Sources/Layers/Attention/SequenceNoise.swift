// SPDX-License-Identifier: Apache-2.0

import Kernels
import RandomNumbers
import Tensors

/// The key of the random numbers of a training pass, such as those of dropout.
///
/// A number depends on the seed, the step of the run, the sequence's index in the data set, and the
/// place in the model, but never on ranks, threads or the other rows of a batch.
public struct SequenceNoise: Sendable {
  /// The seed of the run.
  public let seed: UInt64
  /// Optimizer steps taken before this one.
  public let step: Int
  /// The index of each row's sequence in the data set, [N].
  public let sequences: [Int]

  public init(seed: UInt64, step: Int, sequences: [Int]) {
    self.seed = seed
    self.step = step
    self.sequences = sequences
  }

  /// The noise of some rows.
  public func rows(_ range: Range<Int>) -> SequenceNoise {
    SequenceNoise(seed: seed, step: step, sequences: Array(sequences[range]))
  }

  /// Fills the factors of dropout, a row of any shape for each sequence.
  ///
  /// - Parameters:
  ///   - factors: [N, ·], each 0 with probability p, or else 1 / (1 - p)
  ///   - p: the probability of dropping, below 1
  ///   - site: the place in the model
  public func fill<Scalar: KernelScalar>(
    _ factors: Tensor<Scalar>, dropping p: Double, site: Int
  ) {
    precondition(
      factors.shape[0] == sequences.count, "\(sequences.count) sequences for \(factors.shape)")
    for (row, sequence) in sequences.enumerated() {
      let stream = RandomStream(
        seed: seed, purpose: .sequenceDropout, site: site, step: step, index: sequence)
      factors.row(row).fillDropout(p, from: stream)
    }
  }
}
