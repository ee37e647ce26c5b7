// SPDX-License-Identifier: Apache-2.0

/// Labelled sequences from text files or arrays, entirely in memory.
public struct SequenceArchive: Sendable {
  /// What to predict for a sequence; the names are those of tasks.
  public enum Target: String, Sendable, CaseIterable {
    /// One class for each sequence.
    case classes = "classification"
    /// Numbers for each sequence.
    case values = "regression"
    /// A class at every step.
    case stepClasses = "tagging"
    /// Labels of each sequence, each of which applies or does not.
    case labels = "multilabel"
  }

  /// Sequences with their classes.
  public struct Part: Sendable {
    /// Each [T, C], step by step; T may differ.
    public var sequences: [[Float]] = []
    /// 0 ..< number of class names.
    public var classes: [Int32] = []
    /// The numbers to predict, [N, K].
    public var values: [Float] = []
    /// The classes of the steps of each sequence.
    public var stepClasses: [[Int32]] = []
    /// Of labels: 1 or 0 for each of K, for each sequence.
    public var labels: [[Int32]] = []
    /// Which steps of the file each sequence has; empty if every sequence has all of them.
    var steps: [SequenceSteps] = []

    public init() {}

    /// Which steps of the file a sequence has.
    func steps(of sequence: Int) -> SequenceSteps {
      steps.isEmpty ? SequenceSteps() : steps[sequence]
    }
  }

  /// The origin of the data, for messages.
  public let path: String
  /// C, numbers per step.
  public let features: Int
  /// The names of the classes.
  public let classNames: [String]
  /// What to predict.
  public let target: Target
  /// The training part.
  public let train: Part
  /// The test part.
  public let test: Part
  /// Notes for the user about how the files were read, one per line.
  public internal(set) var notes: [String] = []
  /// Whether steps were ordered by dates of a form that gives no seconds to write as times.
  var hasUnknownDates = false

  init(
    _ path: String, features: Int, classNames: [String], target: Target = .classes, train: Part,
    test: Part
  ) throws(DatasetError) {
    for (part, name) in [(train, "training"), (test, "test")] where part.sequences.isEmpty {
      throw DatasetError(
        path, "has no \(name) sequence", cure: "give files that hold at least one each")
    }
    guard classNames.count >= 2 || target == .values else {
      throw DatasetError(
        path, "has only one class, \(classNames.first ?? "")",
        cure: "give sequences of at least two classes")
    }
    self.path = path
    self.features = features
    self.classNames = classNames
    self.target = target
    self.train = train
    self.test = test
  }

  /// The training and the test sequences, or steps, of each class or label.
  public var classCounts: [(train: Int, test: Int)] {
    func counts(_ part: Part) -> [Int] {
      if target == .labels {
        return classNames.indices.map { k in part.labels.count { $0[k] == 1 } }
      }
      return PartSplit.counts(
        target == .stepClasses ? Array(part.stepClasses.joined()) : part.classes, classNames.count)
    }
    return Array(zip(counts(train), counts(test))).map { (train: $0, test: $1) }
  }

  /// The shortest and the longest T.
  public var steps: ClosedRange<Int> {
    let all = (train.sequences + test.sequences).map { $0.count / features }
    return all.min()!...all.max()!
  }
}
