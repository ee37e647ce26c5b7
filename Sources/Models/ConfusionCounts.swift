/// How often sequences of one class were taken for another.
public final class ConfusionCounts {
  public let classes: Int
  /// [classes, classes] row-major: the true class, then the predicted one.
  public var counts: [Int]

  public init(classes: Int) {
    self.classes = classes
    counts = [Int](repeating: 0, count: classes * classes)
  }

  func add(_ truth: Int, predicted: Int) {
    counts[truth * classes + predicted] += 1
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
