// SPDX-License-Identifier: Apache-2.0

import Models
import Testing

@testable import Training

@Suite struct TrainingStateTests {
  /// The sums of a run since its last report, with those of its objective by name.
  @Test func aCheckpointHoldsTheSumsOfTheObjective() {
    var state = TrainingState(sums: ["correct", "judged"])
    state.interval = Totals(loss: 3, elements: 8, weight: 6, sequences: 4, own: [2, 5])
    let progress = state.progress(seconds: 1)
    #expect(progress["interval_correct"] == 2 && progress["interval_judged"] == 5)
    var other = TrainingState(sums: ["correct", "judged"])
    other.restore(step: 1, epoch: 0, batch: 1, progress: progress)
    #expect(other.interval == state.interval)
    // An objective without sums has none to hold.
    var plain = TrainingState(sums: [])
    plain.interval = Totals(loss: 3, elements: 8, sequences: 4)
    #expect(plain.progress(seconds: 1).keys.allSatisfy { !$0.contains("correct") })
  }

  /// A run that is stopped between the last batch of an epoch and its record writes the record when
  /// it is resumed.
  @Test func aCheckpointHoldsWhatTheNextRecordNeeds() {
    var state = TrainingState()
    (state.gradientNorm, state.rateFactor) = (0.7, 0.5)
    var other = TrainingState()
    other.restore(step: 1, epoch: 0, batch: 1, progress: state.progress(seconds: 1))
    #expect(other.gradientNorm == 0.7 && other.rateFactor == 0.5)
    other.restore(step: 1, epoch: 0, batch: 1, progress: [:])
    #expect(other.gradientNorm == 0 && other.rateFactor == 1)
  }

  /// Version 1 of the format has no judged answers, and none before now has weights.
  @Test func anOldCheckpointIsOfEqualWeights() {
    var state = TrainingState(sums: ["correct", "judged"])
    state.restore(
      step: 3, epoch: 0, batch: 3,
      progress: [
        "interval_loss": 30, "interval_elements": 24, "interval_correct": 9,
        "interval_sequences": 24,
      ])
    #expect(
      state.interval == Totals(loss: 30, elements: 24, weight: 24, sequences: 24, own: [9, 24]))
    state.restore(
      step: 3, epoch: 0, batch: 3,
      progress: ["interval_elements": 24, "interval_correct": 9, "interval_judged": 12])
    #expect(state.interval.own == [9, 12])
  }
}
