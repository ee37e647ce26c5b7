// SPDX-License-Identifier: Apache-2.0

/// The kind of a target: what it consists of, and whether a sequence has one or each time step
/// does.
public struct TargetKind: Sendable, Hashable {
  /// What a single target is.
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

  /// What a single target is.
  public let answer: Answer
  /// K, the outputs of a read-out that predicts it.
  public let outputs: Int
  /// Whether every valid time step has a target, not the sequence as a whole.
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

  /// W, the numbers that store one target: 1 for a class, and K otherwise.
  public var width: Int { answer == .oneClass ? 1 : outputs }

  /// Whether the target is one class per sequence.
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
