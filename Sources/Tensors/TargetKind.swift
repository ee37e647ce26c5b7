/// What is asked about a sequence, once or at each of its steps.
public struct TargetKind: Sendable, Hashable {
  /// What one answer is.
  public enum Answer: Sendable, Hashable, CaseIterable {
    /// One of K classes.
    case oneClass
    /// K numbers.
    case numbers
    /// For each of K labels whether it applies, 1 or 0; a negative number is unknown.
    case labels
    /// K counts; a negative one is unknown.
    case counts
  }

  public let answer: Answer
  /// K, the width of a read-out for it.
  public let outputs: Int
  /// Whether every valid time step has an answer, rather than the sequence as a whole.
  public let isEveryStep: Bool

  public init(_ answer: Answer, outputs: Int, isEveryStep: Bool) {
    self.answer = answer
    self.outputs = outputs
    self.isEveryStep = isEveryStep
  }

  /// One of so many classes.
  public static func classes(_ count: Int) -> TargetKind {
    TargetKind(.oneClass, outputs: count, isEveryStep: false)
  }

  /// One of so many classes at every time step.
  public static func stepClasses(_ count: Int) -> TargetKind {
    TargetKind(.oneClass, outputs: count, isEveryStep: true)
  }

  /// So many numbers.
  public static func values(_ count: Int) -> TargetKind {
    TargetKind(.numbers, outputs: count, isEveryStep: false)
  }

  /// So many numbers at every time step.
  public static func frames(_ count: Int) -> TargetKind {
    TargetKind(.numbers, outputs: count, isEveryStep: true)
  }

  /// So many labels, any of which may apply.
  public static func labels(_ count: Int) -> TargetKind {
    TargetKind(.labels, outputs: count, isEveryStep: false)
  }

  /// So many counts at every time step.
  public static func stepCounts(_ count: Int) -> TargetKind {
    TargetKind(.counts, outputs: count, isEveryStep: true)
  }

  /// W, how many numbers one answer is stored as: 1 for a class, and K otherwise.
  public var width: Int { answer == .oneClass ? 1 : outputs }

  /// Whether one class is asked of each sequence.
  public var isClassOfSequence: Bool { answer == .oneClass && !isEveryStep }

  /// The same kind with another number of outputs.
  public func with(outputs: Int) -> TargetKind {
    TargetKind(answer, outputs: outputs, isEveryStep: isEveryStep)
  }

  /// The kind and its outputs, as checkpoints store them: "classes 10", "step_classes 9".
  public var name: String {
    let word =
      switch (answer, isEveryStep) {
      case (.oneClass, false): "classes"
      case (.oneClass, true): "step_classes"
      case (.numbers, false): "values"
      case (.numbers, true): "frames"
      case (.labels, false): "labels"
      case (.labels, true): "step_labels"
      case (.counts, false): "counts"
      case (.counts, true): "step_counts"
      }
    return "\(word) \(outputs)"
  }
}
