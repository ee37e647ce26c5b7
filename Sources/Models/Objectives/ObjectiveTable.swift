// SPDX-License-Identifier: Apache-2.0

import Tensors

/// An objective with a kind of targets that it accepts.
public struct ObjectiveEntry: Sendable, CustomStringConvertible {
  /// The objective.
  public let objective: any Objective
  /// Targets that it accepts.
  public let kind: TargetKind
  /// Distinguishes it from another line of the same objective.
  public let note: String

  init(_ objective: any Objective, _ kind: TargetKind, note: String = "") {
    self.objective = objective
    self.kind = kind
    self.note = note
  }

  public var description: String { "\(objective.name)\(note.isEmpty ? "" : ", \(note)")" }
}

/// All objectives. Tests cover every line: gradients against central differences, Float against
/// Double, single rows against all rows together, the best constant answer.
public enum ObjectiveTable {
  /// One line for each objective and kind of targets.
  public static let all = [
    ObjectiveEntry(CrossEntropy(), .classes(5)),
    ObjectiveEntry(
      CrossEntropy(classWeights: [0.25, 1, 3], unjudgedClass: 1), .stepClasses(3),
      note: "weighted"),
    ObjectiveEntry(CrossEntropy(ignoredClass: 1), .stepClasses(3), note: "ignoring a class"),
    ObjectiveEntry(CrossEntropy.perToken, .classes(7), note: "per token"),
    ObjectiveEntry(SquaredError(), .frames(3)),
    ObjectiveEntry(ValueErrors(scale: [1, 0.5, 20]), .frames(3), note: "of values"),
    ObjectiveEntry(TagScores(classes: 4), .stepClasses(4), note: "of tags"),
    ObjectiveEntry(
      TagScores(classes: 3, classWeights: [2, 0.5, 1]), .stepClasses(3), note: "of weighted tags"),
    ObjectiveEntry(PoissonCounts(), .stepCounts(3)),
    ObjectiveEntry(SpikeRates(meanRates: [0.5, 1, 2]), .stepCounts(3), note: "of spikes"),
    ObjectiveEntry(BinaryCrossEntropy(), .labels(4)),
    ObjectiveEntry(LabelScores(labels: 3), .labels(3), note: "of sets"),
  ]
}
