// SPDX-License-Identifier: Apache-2.0

import Foundation
import Kernels
import Tensors

/// The probabilities of the answers to sequences, or steps, that have one class each, or labels.
/// Figures that depend on the order of many answers are computed from them.
///
///     AUC_k = P(p_k of a sequence of class k > p_k of another) + ½ P(they are equal)
///     top-5 = share of sequences whose class is among the five of largest p
///
/// The AUC is one class against the rest, its mean over the classes that occur and are not all: the
/// definition of scikit-learn's roc_auc_score(multi_class="ovr", average="macro"). Of labels it is
/// the mean over those that occur and are not all; unknown ones are left out.
public struct AnswerRanking: Sendable {
  /// K.
  public let classes: Int
  /// Whether the truths are classes or labels.
  public let answers: CountedAnswers
  /// p [N, K]
  public private(set) var probabilities: [Float] = []
  /// The true classes [N], or labels [N, K].
  public private(set) var truths: [Int32] = []

  /// The largest number of probabilities that are kept.
  public static let most = 1 << 26
  /// The number of likeliest classes among which the true one must be in the second figure.
  public static let top = 5

  public init(classes: Int, of answers: CountedAnswers = .classes) {
    (self.classes, self.answers) = (classes, answers)
  }

  /// - Precondition: K probabilities for each true class, or one for each label
  public init(
    classes: Int, of answers: CountedAnswers = .classes, probabilities: [Float], truths: [Int32]
  ) {
    let width = answers == .labels ? 1 : classes
    precondition(probabilities.count == truths.count * width, "\(probabilities.count) numbers")
    (self.classes, self.answers) = (classes, answers)
    (self.probabilities, self.truths) = (probabilities, truths)
  }

  /// Adds answers, logits [N, K], with the arithmetic of `predict`.
  mutating func add<Scalar: KernelScalar>(_ truths: [Int32], answers: Tensor<Scalar>) {
    if self.answers == .labels {
      guard probabilities.count < Self.most else { return }
      probabilities += answers.array.map { Float(1 / (1 + exp(-Double($0)))) }
      self.truths += truths
      return
    }
    for (row, truth) in truths.enumerated() {
      guard probabilities.count < Self.most else { return }
      let logits = answers.row(row).array.map { Double($0) }
      let largest = logits.max() ?? 0
      let weights = logits.map { exp($0 - largest) }
      let sum = weights.reduce(0, +)
      probabilities += weights.map { Float($0 / sum) }
      self.truths.append(truth)
    }
  }

  /// Adds the answers of other sequences.
  public mutating func add(_ other: AnswerRanking) {
    probabilities += other.probabilities
    truths += other.truths
  }

  /// Whether some answers were not kept because there are too many. Then there are no figures,
  /// because those of a part would differ from those of all.
  public var isFull: Bool { probabilities.count >= Self.most }

  /// The mean AUC of the classes that some sequences have and others do not; NaN if there is none.
  public var auc: Double {
    let each = (0..<classes).compactMap(auc(of:))
    return each.reduce(0, +) / Double(each.count)
  }

  /// The AUC of one class against the rest, by the mean rank of its sequences (Mann and Whitney,
  /// 1947).
  private func auc(of k: Int) -> Double? {
    let rows = probabilities.count / max(classes, 1)
    let order = (0..<rows).compactMap { row -> (p: Float, isIt: Bool)? in
      let truth = truths[answers == .labels ? row * classes + k : row]
      guard truth >= 0 else { return nil }
      return (probabilities[row * classes + k], truth == (answers == .labels ? 1 : Int32(k)))
    }.sorted { $0.p < $1.p }
    let N = order.count
    let positives = order.count { $0.isIt }
    guard positives > 0, positives < N else { return nil }
    var (rankSum, start) = (0.0, 0)
    while start < N {
      var end = start
      // A probability that is not a number counts as equal to all after it.
      while end < N, !(order[end].p > order[start].p) { end += 1 }
      // Equal probabilities share the mean of their ranks, which count from 1.
      let rank = Double(start + 1 + end) / 2
      rankSum += rank * Double(order[start..<end].count { $0.isIt })
      start = end
    }
    let (P, Q) = (Double(positives), Double(N - positives))
    return (rankSum - P * (P + 1) / 2) / (P * Q)
  }

  /// The share of sequences whose class is among the five likeliest. Of equal probabilities, the
  /// first comes first.
  public var topShare: Double {
    let right = truths.indices.count { row in
      let own = probabilities[row * classes..<(row + 1) * classes]
      let place = own.startIndex + Int(truths[row])
      let before = own.indices.count {
        own[$0] > own[place] || own[$0] == own[place] && $0 < place
      }
      return before < Self.top
    }
    return Double(right) / Double(truths.count)
  }

  /// The names of the figures for this many classes.
  public static func keys(classes: Int, of answers: CountedAnswers = .classes) -> [String] {
    ["auc"] + (classes > top && answers == .classes ? ["top_5_accuracy"] : [])
  }

  /// The figures; none if not all answers were kept.
  public var metrics: [Metric] {
    guard !isFull else { return [] }
    let area = Metric("auc", auc, .named("AUC"))
    guard Self.keys(classes: classes, of: answers).count > 1 else { return [area] }
    return [area, Metric("top_5_accuracy", topShare, .percentage("top-5 accuracy"))]
  }
}
