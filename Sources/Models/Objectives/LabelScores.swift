// SPDX-License-Identifier: Apache-2.0

import Kernels
import Tensors

/// The cross-entropy of K independent labels, with scores that show whether rare labels are
/// learned.
///
///     subset accuracy = share of rows whose known labels are all right
///
/// A label is predicted if its probability is above 1/2. Macro F1 is the mean over labels; see
/// `ClassScores`. Unknown labels do not count; see `BinaryCrossEntropy`.
public struct LabelScores: Objective {
  /// K.
  public let labels: Int
  private let loss = BinaryCrossEntropy()

  public init(labels: Int) { self.labels = labels }

  public var name: String { loss.name }

  public func accepts(_ kind: TargetKind) -> Bool {
    kind.outputs == labels && loss.accepts(kind)
  }

  public var sums: [String] {
    loss.sums + ["rows", "exact"]
      + ["actual", "predicted", "right"].flatMap { part in
        (0..<labels).map { "\(part)_\($0)" }
      }
  }

  /// The binary cross-entropy of the logits of all labels, and its gradient; see `Objective`.
  @specialized(where Scalar == Float)
  public func totals<Scalar: KernelScalar>(
    of logits: Tensor<Scalar>, _ targets: SequenceTargets, gradient: Tensor<Scalar>?
  ) -> Totals {
    let K = labels
    var own = [Double](repeating: 0, count: 2 + 3 * K)
    // Before the loss, whose gradient may overwrite the logits.
    for row in 0..<targets.rowCount {
      var (known, wrong) = (0, 0)
      for k in 0..<K {
        let label = targets.whole[row * K + k]
        guard label >= 0 else { continue }
        let isPredicted = logits[row * K + k] > 0
        known += 1
        if isPredicted != (label == 1) { wrong += 1 }
        if label == 1 { own[2 + k] += 1 }
        if isPredicted { own[2 + K + k] += 1 }
        if isPredicted, label == 1 { own[2 + 2 * K + k] += 1 }
      }
      guard known > 0 else { continue }
      own[0] += 1
      if wrong == 0 { own[1] += 1 }
    }
    var totals = loss.totals(of: logits, targets, gradient: gradient)
    totals.own += own
    return totals
  }

  public func metrics(_ totals: Totals) -> [Metric] {
    guard totals.own.count == sums.count else { return [] }
    let (K, own) = (labels, totals.own.dropFirst(loss.sums.count))
    let (rows, exact) = (own[own.startIndex], own[own.startIndex + 1])
    func part(_ index: Int) -> [Double] { Array(own.dropFirst(2 + index * K).prefix(K)) }
    let scores = ClassScores(actual: part(0), predicted: part(1), right: part(2))
    return loss.metrics(totals) + [
      Metric("macro_f1", scores.macroF1, .percentage("macro F1")),
      Metric("subset_accuracy", exact / rows, .percentage("subset accuracy")),
    ]
  }

  public func chance(_ kind: TargetKind) -> ChanceLoss? { loss.chance(kind) }

  public func bestConstant(for targets: SequenceTargets) -> [Double] {
    loss.bestConstant(for: targets)
  }
}
