// SPDX-License-Identifier: Apache-2.0

import Foundation
import Kernels
import Tensors

/// The cross-entropy of one class per row, averaged with weights by class.
///
///     L = Σ_r w_k (-log softmax(z_r)_k) / Σ_r w_k,   k the class of row r, w_k = 1 by default
///
/// PyTorch's `CrossEntropyLoss(weight=)` divides by the same sum.
public struct CrossEntropy: Objective {
  /// What is reported in addition to the loss.
  public enum Report: Sendable {
    /// The share of right answers.
    case accuracy
    /// exp L and L / ln 2, for texts.
    case perplexity
  }

  /// w [K]; nil if every class weighs 1.
  public let classWeights: [Double]?
  /// A class whose rows count in the loss, but not in the accuracy, such as a blank.
  public let unjudgedClass: Int32?
  /// A class whose rows count neither in the loss nor in the accuracy: PyTorch's `ignore_index`.
  public let ignoredClass: Int32?
  /// What is printed next to the loss.
  public let report: Report

  public init(
    classWeights: [Double]? = nil, unjudgedClass: Int32? = nil, ignoredClass: Int32? = nil,
    report: Report = .accuracy
  ) {
    precondition(
      classWeights?.allSatisfy { $0 >= 0 && $0.isFinite } ?? true,
      "class weights \(classWeights ?? [])")
    self.classWeights = classWeights
    self.unjudgedClass = unjudgedClass
    self.ignoredClass = ignoredClass
    self.report = report
  }

  public var name: String { "cross-entropy" }

  public func accepts(_ kind: TargetKind) -> Bool {
    kind.answer == .oneClass && (classWeights.map { $0.count == kind.outputs } ?? true)
  }

  /// The right answers, and how many were judged.
  public var sums: [String] { report == .accuracy ? ["correct", "judged"] : [] }

  /// The cross-entropy of logits, and its gradient; see `Objective`.
  @specialized(where Scalar == Float)
  public func totals<Scalar: KernelScalar>(
    of logits: Tensor<Scalar>, _ targets: SequenceTargets, gradient: Tensor<Scalar>?
  ) -> Totals {
    let (rows, K) = (logits.shape[0], logits.shape[1])
    precondition(targets.rowCount == rows, "\(targets.rowCount) classes for \(rows) rows")
    let scratch = Tensor<Scalar>(shape: [gradient == nil ? K : 0])
    var (loss, elements, weight, correct, judged) = (0.0, 0.0, 0.0, 0.0, 0.0)
    for (row, label) in targets.whole.enumerated() {
      if label == ignoredClass {
        gradient?.row(row).fill(0)
        continue
      }
      let k = Int(label)
      precondition(k >= 0 && k < K, "class \(k) outside 0 ..< \(K)")
      let z = logits.row(row)
      let ownLogit = z[k]
      // The exponentials use the memory of the gradient, which may be that of the logits.
      let exponentials = gradient?.row(row) ?? scratch
      let softmax = SoftmaxRow(z, exponentials: exponentials)
      let surprise = Double(Scalar.logarithm(softmax.sum) - (ownLogit - softmax.largest))
      let own = classWeights?[k] ?? 1
      loss += own * surprise
      elements += 1
      weight += own
      if label != unjudgedClass {
        judged += 1
        if softmax.best == k { correct += 1 }
      }
      guard gradient != nil else { continue }
      exponentials.divide(by: softmax.sum)
      exponentials[k] -= 1
      if classWeights != nil {
        for index in 0..<K { exponentials[index] *= Scalar(own) }
      }
    }
    return Totals(
      loss: loss, elements: elements, weight: weight,
      own: report == .accuracy ? [correct, judged] : [])
  }

  public func metrics(_ totals: Totals) -> [Metric] {
    switch report {
    case .accuracy:
      // NaN if there are none.
      return [Metric("accuracy", totals.own[0] / totals.own[1], .percentage("accuracy"))]
    case .perplexity:
      let loss = totals.meanLoss
      return [
        Metric("perplexity", exp(loss), .named("perplexity")),
        Metric("bits_per_token", loss / log(2), .unit("bits")),
      ]
    }
  }

  /// ln K, for any weights.
  public func chance(_ kind: TargetKind) -> ChanceLoss? {
    ChanceLoss(log(Double(kind.outputs)), "ln \(kind.outputs), guessing")
  }

  /// The logarithm of each class's share of the weight.
  public func bestConstant(for targets: SequenceTargets) -> [Double] {
    var weights = [Double](repeating: 0, count: targets.kind.outputs)
    for label in targets.whole where label != ignoredClass {
      weights[Int(label)] += classWeights?[Int(label)] ?? 1
    }
    let sum = weights.reduce(0, +)
    return weights.map { log(max($0 / sum, .leastNormalMagnitude)) }
  }
}

extension CrossEntropy {
  /// The cross-entropy of the next word or character of a text.
  public static let perToken = CrossEntropy(report: .perplexity)
}
