// SPDX-License-Identifier: Apache-2.0

import Models
import Testing

/// Figures that depend on the order of answers, against their definitions.
@Suite struct AnswerRankingTests {
  /// AUC by all pairs of a sequence of the class and one of another.
  private func auc(_ ranking: AnswerRanking) -> Double {
    let K = ranking.classes
    let each = (0..<K).compactMap { k -> Double? in
      var (pairs, won) = (0.0, 0.0)
      for (a, own) in ranking.truths.enumerated() where Int(own) == k {
        for (b, other) in ranking.truths.enumerated() where Int(other) != k {
          let (p, q) = (ranking.probabilities[a * K + k], ranking.probabilities[b * K + k])
          pairs += 1
          won += p > q ? 1 : p == q ? 0.5 : 0
        }
      }
      return pairs > 0 ? won / pairs : nil
    }
    return each.reduce(0, +) / Double(each.count)
  }

  @Test func areasUnderTheCurves() {
    // scikit-learn's example: roc_auc_score([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]) is 0.75.
    let scores: [Float] = [0.1, 0.4, 0.35, 0.8]
    let two = AnswerRanking(
      classes: 2, probabilities: scores.flatMap { [1 - $0, $0] }, truths: [0, 0, 1, 1])
    #expect(two.auc == 0.75)
    #expect(two.metrics.map(\.key) == ["auc"], "with two classes all are among the first five")
    // Three classes with ties, and a fourth that does not occur.
    let p = (0..<40).map { Float($0 * 7919 % 5) / 5 }
    let three = AnswerRanking(
      classes: 4, probabilities: p, truths: (0..<10).map { Int32($0 * 7 % 10 % 3) })
    #expect(abs(three.auc - auc(three)) < 1e-15 && three.auc > 0 && three.auc < 1)
    var parts = AnswerRanking(classes: 4, probabilities: Array(p[..<12]), truths: [0, 1, 2])
    parts.add(
      AnswerRanking(
        classes: 4, probabilities: Array(p[12...]), truths: (3..<10).map { Int32($0 * 7 % 10 % 3) })
    )
    let joined = AnswerRanking(classes: 4, probabilities: p, truths: parts.truths)
    #expect(parts.auc == joined.auc && parts.truths.count == 10)
    #expect(AnswerRanking(classes: 2, probabilities: [1, 0], truths: [0]).auc.isNaN)
  }

  /// Each label by itself, without the rows where it is unknown.
  @Test func areasOfLabels() {
    let ranking = AnswerRanking(
      classes: 2, of: .labels, probabilities: [0.1, 0.9, 0.4, 0.2, 0.35, 0.95, 0.8, 0.6],
      truths: [0, 1, 0, 0, 1, -1, 1, 1])
    #expect(ranking.auc == (0.75 + 1) / 2 && ranking.metrics.map(\.key) == ["auc"])
  }

  @Test func theFirstFive() {
    // The class is first, fifth, sixth, and sixth because the equal ones before it count first.
    let rows: [([Float], Int32)] = [
      ([0.1, 0.1, 0.1, 0.1, 0.1, 0.5], 5), ([0.3, 0.2, 0.2, 0.15, 0.1, 0.05], 4),
      ([0.3, 0.2, 0.2, 0.15, 0.1, 0.05], 5), ([0.2, 0.2, 0.2, 0.2, 0.1, 0.1], 5),
    ]
    let ranking = AnswerRanking(
      classes: 6, probabilities: rows.flatMap(\.0), truths: rows.map(\.1))
    #expect(ranking.topShare == 0.5)
    #expect(ranking.metrics.map(\.key) == ["auc", "top_5_accuracy"])
  }
}
