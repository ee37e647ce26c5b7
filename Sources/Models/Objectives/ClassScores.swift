// SPDX-License-Identifier: Apache-2.0

/// Scores for classes that are not equally frequent.
///
///     F1_k = 2 right_k / (actual_k + predicted_k),   recall_k = right_k / actual_k
///
/// Macro F1 is the mean of F1 over the classes that occur or were predicted; balanced accuracy is
/// the mean of recall over the classes that occur, as defined by scikit-learn.
public struct ClassScores: Sendable, Equatable {
  /// How often each class occurred.
  public var actual: [Double]
  /// How often each class was predicted.
  public var predicted: [Double]
  /// How often each class was predicted correctly.
  public var right: [Double]

  public init(actual: [Double], predicted: [Double], right: [Double]) {
    (self.actual, self.predicted, self.right) = (actual, predicted, right)
  }

  /// The scores of a confusion matrix [true][predicted].
  public init(confusion rows: [[Int]]) {
    // In floating point: the counts of a file may have a sum that overflows an integer.
    actual = rows.map { $0.reduce(0) { $0 + Double($1) } }
    predicted = rows.indices.map { k in rows.reduce(0) { $0 + Double($1[k]) } }
    right = rows.indices.map { Double(rows[$0][$0]) }
  }

  /// The mean F1 of the classes that occur or are predicted.
  public var macroF1: Double {
    mean(actual.indices.filter { actual[$0] + predicted[$0] > 0 }) {
      2 * right[$0] / (actual[$0] + predicted[$0])
    }
  }

  /// The mean recall of the classes that occur.
  public var balancedAccuracy: Double {
    mean(actual.indices.filter { actual[$0] > 0 }) { right[$0] / actual[$0] }
  }

  /// The most frequent class and its share, the first one if several are equal; nil without
  /// answers.
  public var majority: (number: Int, share: Double)? {
    let count = actual.reduce(0, +)
    guard count > 0, let most = actual.max(), let number = actual.firstIndex(of: most) else {
      return nil
    }
    return (number, most / count)
  }

  /// Both scores, as `evaluate` prints them.
  public var metrics: [Metric] {
    [
      Metric("macro_f1", macroF1, .percentage("macro F1")),
      Metric("balanced_accuracy", balancedAccuracy, .percentage("balanced accuracy")),
    ]
  }

  private func mean(_ classes: [Int], _ value: (Int) -> Double) -> Double {
    classes.reduce(0) { $0 + value($1) } / Double(classes.count)
  }
}
