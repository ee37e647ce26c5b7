// SPDX-License-Identifier: Apache-2.0

/// The kind of answer about a sequence, once or at each of its steps.
public struct TargetKind: Sendable, Hashable {
  /// The kind of a single answer.
  public enum Answer: Sendable, Hashable, CaseIterable {
    /// One of K classes.
    case oneClass
    /// K numbers.
    case numbers
    /// For each of K labels, whether it applies, 1 or 0; a negative number means unknown.
    case labels
    /// K counts; a negative one means unknown.
    case counts
  }

  /// What an answer consists of.
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

  /// One of `count` classes.
  public static func classes(_ count: Int) -> TargetKind {
    TargetKind(.oneClass, outputs: count, isEveryStep: false)
  }

  /// One of `count` classes at every time step.
  public static func stepClasses(_ count: Int) -> TargetKind {
    TargetKind(.oneClass, outputs: count, isEveryStep: true)
  }

  /// `count` numbers.
  public static func values(_ count: Int) -> TargetKind {
    TargetKind(.numbers, outputs: count, isEveryStep: false)
  }

  /// `count` numbers at every time step.
  public static func frames(_ count: Int) -> TargetKind {
    TargetKind(.numbers, outputs: count, isEveryStep: true)
  }

  /// `count` independent labels.
  public static func labels(_ count: Int) -> TargetKind {
    TargetKind(.labels, outputs: count, isEveryStep: false)
  }

  /// `count` counts at every time step.
  public static func stepCounts(_ count: Int) -> TargetKind {
    TargetKind(.counts, outputs: count, isEveryStep: true)
  }

  /// W, the numbers that store one answer: 1 for a class, and K otherwise.
  public var width: Int { answer == .oneClass ? 1 : outputs }

  /// Whether the answer is one class per sequence.
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
