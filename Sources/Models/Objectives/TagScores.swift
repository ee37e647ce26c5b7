// SPDX-License-Identifier: Apache-2.0

import Kernels
import Tensors

/// The cross-entropy of a class at each step, with scores that show whether rare classes are
/// learned; see `ClassScores`.
public struct TagScores: Objective {
  /// K.
  public let classes: Int
  private let loss: CrossEntropy

  /// - Parameters:
  ///   - classes: K
  ///   - classWeights: w [K]; nil if every class weighs 1
  public init(classes: Int, classWeights: [Double]? = nil) {
    self.classes = classes
    loss = CrossEntropy(classWeights: classWeights)
  }

  public var name: String { loss.name }

  public func accepts(_ kind: TargetKind) -> Bool {
    kind.outputs == classes && loss.accepts(kind)
  }

  public var sums: [String] {
    loss.sums
      + ["actual", "predicted", "right"].flatMap { part in
        (0..<classes).map { "\(part)_\($0)" }
      }
  }

  /// The cross-entropy of logits, and its gradient; see `Objective`.
  @specialized(where Scalar == Float)
  public func totals<Scalar: KernelScalar>(
    of logits: Tensor<Scalar>, _ targets: SequenceTargets, gradient: Tensor<Scalar>?
  ) -> Totals {
    let K = classes
    var counts = [Double](repeating: 0, count: 3 * K)
    // Before the loss, whose gradient may overwrite the logits.
    for (row, label) in targets.whole.enumerated() {
      var best = 0
      for k in 1..<max(K, 1) where logits[row * K + k] > logits[row * K + best] { best = k }
      counts[Int(label)] += 1
      counts[K + best] += 1
      if best == Int(label) { counts[2 * K + best] += 1 }
    }
    var totals = loss.totals(of: logits, targets, gradient: gradient)
    totals.own += counts
    return totals
  }

  public func metrics(_ totals: Totals) -> [Metric] {
    guard totals.own.count == sums.count else { return [] }
    let (K, own) = (classes, totals.own.dropFirst(loss.sums.count))
    func part(_ index: Int) -> [Double] { Array(own.dropFirst(index * K).prefix(K)) }
    return loss.metrics(totals)
      + ClassScores(actual: part(0), predicted: part(1), right: part(2)).metrics
  }

  public func chance(_ kind: TargetKind) -> ChanceLoss? { loss.chance(kind) }

  public func bestConstant(for targets: SequenceTargets) -> [Double] {
    loss.bestConstant(for: targets)
  }
}
