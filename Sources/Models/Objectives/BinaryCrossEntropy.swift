// SPDX-License-Identifier: Apache-2.0

import Foundation
import Kernels
import Tensors

/// The cross-entropy of K independent labels, averaged over the known ones.
///
///     L = Σ (max(z, 0) - z t + log(1 + exp(-|z|))) / known,   t 1 or 0, σ(z) the probability of 1
///
/// A negative label is unknown and is skipped.
public struct BinaryCrossEntropy: Objective {
  public init() {}

  public var name: String { "cross-entropy per label" }

  public func accepts(_ kind: TargetKind) -> Bool { kind.answer == .labels }

  /// The number of right answers among all known labels.
  public var sums: [String] { ["correct"] }

  /// The binary cross-entropy of logits, and its gradient; see `Objective`.
  @specialized(where Scalar == Float)
  public func totals<Scalar: KernelScalar>(
    of logits: Tensor<Scalar>, _ targets: SequenceTargets, gradient: Tensor<Scalar>?
  ) -> Totals {
    precondition(
      targets.whole.count == logits.count,
      "\(targets.whole.count) labels for logits \(logits.shape)")
    var (loss, known, correct) = (0.0, 0.0, 0.0)
    for (index, label) in targets.whole.enumerated() {
      guard label >= 0 else {
        gradient?[index] = 0
        continue
      }
      precondition(label <= 1, "label \(label) is neither 0 nor 1")
      let (z, isTrue) = (logits[index], label == 1)
      let e = Scalar.exponential(-z.magnitude)  // never overflows
      let sum = 1 + e
      // log(1 + e) to full precision, even if e is lost in the sum (Kahan).
      let rest = sum == 1 ? e : Scalar.logarithm(sum) * (e / (sum - 1))
      loss += Double(max(isTrue ? -z : z, 0) + rest)
      known += 1
      if (z > 0) == isTrue { correct += 1 }
      gradient?[index] = (z >= 0 ? 1 : e) / sum - (isTrue ? 1 : 0)
    }
    return Totals(loss: loss, elements: known, own: [correct])
  }

  public func metrics(_ totals: Totals) -> [Metric] {
    [
      Metric(
        "label_accuracy", totals.own[0] / totals.elements, .percentage("label accuracy"))
    ]
  }

  public func chance(_ kind: TargetKind) -> ChanceLoss? {
    ChanceLoss(log(2), "ln 2, guessing")
  }

  /// The log-odds of each label.
  public func bestConstant(for targets: SequenceTargets) -> [Double] {
    targets.columnMeans.map { mean in
      let share = min(max(mean, 1e-15), 1 - 1e-15)
      return log(share / (1 - share))
    }
  }
}
