// SPDX-License-Identifier: Apache-2.0

import Kernels
import Models
import Tensors
import Testing

/// Metrics with the values that scikit-learn computes for the same answers.
@Suite struct ClassScoresTests {
  /// y_true = [0 0 0 0 1 1 2], y_pred = [0 0 0 1 1 0 1]; class 3 neither occurs nor is answered.
  private let scores = ClassScores(confusion: [
    [3, 1, 0, 0], [1, 1, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0],
  ])

  @Test func ofAConfusionMatrix() throws {
    // F1: 2·3/(4+4), 2·1/(2+3), 0; recall: 3/4, 1/2, 0.
    #expect(abs(scores.macroF1 - (0.75 + 0.4) / 3) < 1e-15)
    #expect(abs(scores.balancedAccuracy - 1.25 / 3) < 1e-15)
    let majority = try #require(scores.majority)
    #expect(majority.number == 0 && majority.share == 4.0 / 7)
    #expect(ClassScores(confusion: [[0, 0], [0, 0]]).majority == nil)
  }

  @Test func tagsCountEachStep() {
    let answers = [0, 0, 0, 1, 1, 0, 1]
    let logits = Tensor<Float>(shape: [7, 4])
    for (row, answer) in answers.enumerated() { logits[row * 4 + answer] = 2 }
    let objective = TagScores(classes: 4)
    let targets = SequenceTargets(.stepClasses(4), whole: [0, 0, 0, 0, 1, 1, 2])
    let gradient = Tensor<Float>(shape: [7, 4])
    let metrics = objective.metrics(objective.totals(of: logits, targets, gradient: gradient))
    #expect(metrics.map(\.key) == ["accuracy", "macro_f1", "balanced_accuracy"])
    #expect(metrics[0].value == 4.0 / 7)
    #expect(metrics[1].value == scores.macroF1 && metrics[2].value == scores.balancedAccuracy)
  }

  /// A row is right if all of its known labels are; a row without any counts nowhere.
  @Test func labelsCountEachRow() {
    let y = Tensor<Float>([1, -1, -1, 1, 2, 1, -1, -1], shape: [4, 2])
    let objective = LabelScores(labels: 2)
    let targets = SequenceTargets(.labels(2), whole: [1, 0, 1, 1, 1, -1, -1, -1])
    let metrics = objective.metrics(
      objective.totals(of: y, targets, gradient: Tensor<Float>(shape: [4, 2])))
    #expect(metrics.map(\.key) == ["label_accuracy", "macro_f1", "subset_accuracy"])
    #expect(metrics[0].value == 4.0 / 5 && metrics[2].value == 2.0 / 3)
    // Label 0: 2 right of 3, 2 predicted. Label 1: 1 right of 1, 1 predicted.
    #expect(abs(metrics[1].value - (4.0 / 5 + 1) / 2) < 1e-15)
  }

  /// MAE in the unit of the targets; R2 of each number separately, then their mean.
  @Test func errorsOfValues() {
    let objective = ValueErrors(scale: [10, 1, 1])
    // The third number does not vary, and is left out of R2.
    let targets = SequenceTargets(.values(3), numbers: [1, 2, 5, 2, 4, 5, 3, 0, 5])
    let y = Tensor<Float>([1, 2, 5, 2, 3, 5, 4, 0, 5], shape: [3, 3])
    let metrics = objective.metrics(objective.totals(of: y, targets, gradient: nil))
    #expect(metrics.map(\.key) == ["mae", "r2"])
    #expect(abs(metrics[0].value - (10 * 1 + 1) / 9.0) < 1e-12)
    // 1 - 1/2 and 1 - 1/8.
    #expect(abs(metrics[1].value - (0.5 + 0.875) / 2) < 1e-12)
  }
}
