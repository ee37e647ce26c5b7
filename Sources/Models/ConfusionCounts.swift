// SPDX-License-Identifier: Apache-2.0

import Kernels
import Tensors

/// The answers that are counted.
public enum CountedAnswers: Sendable {
  /// A class of each sequence: the confusion matrix, and the probabilities if they are kept.
  case classes
  /// A class at each step: only the probabilities.
  case stepClasses
  /// Labels of each sequence: only the probabilities.
  case labels
}

/// The confusion matrix: how often sequences of one class were predicted as another.
public final class ConfusionCounts {
  /// K.
  public let classes: Int
  /// Which answers are counted.
  public let answers: CountedAnswers
  /// [classes, classes] row-major: the true class, then the predicted one. Empty unless each
  /// sequence has one class.
  public var counts: [Int]
  /// The probabilities of all answers; nil if they are not kept.
  public private(set) var ranking: AnswerRanking?

  public init(classes: Int, of answers: CountedAnswers = .classes) {
    (self.classes, self.answers) = (classes, answers)
    counts = [Int](repeating: 0, count: answers == .classes ? classes * classes : 0)
  }

  /// Keeps the probabilities of the answers from here on.
  public func keepRanking() {
    if ranking == nil { ranking = AnswerRanking(classes: classes, of: answers) }
  }

  /// Counts without answers, with the same settings.
  func empty() -> ConfusionCounts {
    let counts = ConfusionCounts(classes: classes, of: answers)
    if ranking != nil { counts.keepRanking() }
    return counts
  }

  /// Counts the class with the largest logit for each sequence; the first one if several are equal.
  ///
  /// - Parameters:
  ///   - truths: the true classes [N], or labels [N, K]
  ///   - answers: logits [N, K]
  func add<Scalar: KernelScalar>(_ truths: [Int32], answers: Tensor<Scalar>) {
    for (row, truth) in truths.enumerated() where self.answers == .classes {
      let best = answers.row(row).withSpan { z in
        var best = 0
        for index in 1..<max(z.count, 1) where z[index] > z[best] { best = index }
        return best
      }
      counts[Int(truth) * classes + best] += 1
    }
    ranking?.add(truths, answers: answers)
  }

  /// Sets every count to 0.
  public func clear() {
    counts = [Int](repeating: 0, count: counts.count)
    if ranking != nil { ranking = AnswerRanking(classes: classes, of: answers) }
  }

  /// Adds the counts of other sequences.
  func add(_ other: ConfusionCounts) {
    for index in counts.indices { counts[index] += other.counts[index] }
    if let others = other.ranking { ranking?.add(others) }
  }

  /// The counts as a row for each true class.
  public var rows: [[Int]] {
    (0..<classes).map { Array(counts[$0 * classes..<($0 + 1) * classes]) }
  }
}
