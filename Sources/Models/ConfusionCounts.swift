import Kernels
import Tensors

/// The confusion matrix: how often sequences of one class were predicted as another.
public final class ConfusionCounts {
  public let classes: Int
  /// [classes, classes] row-major: the true class, then the predicted one.
  public var counts: [Int]

  public init(classes: Int) {
    self.classes = classes
    counts = [Int](repeating: 0, count: classes * classes)
  }

  /// Counts the class with the largest logit for each sequence; the first one if several are equal.
  ///
  /// - Parameters:
  ///   - truths: the true classes [N]
  ///   - answers: logits [N, K]
  func add<Scalar: KernelScalar>(_ truths: [Int32], answers: Tensor<Scalar>) {
    for (row, truth) in truths.enumerated() {
      let best = answers.row(row).withSpan { z in
        var best = 0
        for index in 1..<max(z.count, 1) where z[index] > z[best] { best = index }
        return best
      }
      counts[Int(truth) * classes + best] += 1
    }
  }

  /// Sets every count to 0.
  public func clear() {
    counts = [Int](repeating: 0, count: classes * classes)
  }

  /// Adds the counts of other sequences.
  func add(_ other: ConfusionCounts) {
    for index in counts.indices { counts[index] += other.counts[index] }
  }

  /// The counts as a row for each true class.
  public var rows: [[Int]] {
    (0..<classes).map { Array(counts[$0 * classes..<($0 + 1) * classes]) }
  }
}
