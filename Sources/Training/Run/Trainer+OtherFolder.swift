// SPDX-License-Identifier: Apache-2.0

import Checkpoints
import Foundation

/// A run that is resumed into another folder.
extension Trainer {
  /// Copies the checkpoint that the run was resumed from into this run's folder, and with it the
  /// best one so far: otherwise `evaluate` would know the best loss without having its model. Rank
  /// 0 calls this.
  ///
  /// The run can train without them, so a failure is only noted.
  func takeCheckpointsAlong() {
    guard let source = resumedFrom, let saved = state.savedStep,
      !run.savedSteps().contains(saved)
    else { return }
    do {
      try run.takeAlong(source)
    } catch {
      return progress.say("note: \(error); the next checkpoint will be the run's first")
    }
    let other = RunFolder(ofCheckpoint: source)
    guard state.bestLoss.isFinite, let best = state.bestStep, best != saved else {
      return
    }
    guard other.savedSteps().contains(best) else {
      return progress.say(
        "note: the best checkpoint so far, of step \(best), is no longer in \(other.path);"
          + " `evaluate` uses the newest until validation improves")
    }
    do {
      try run.takeAlong(other.existingCheckpoint(step: best))
    } catch {
      progress.say(
        "note: \(error); `evaluate` uses the newest until validation is better than at step"
          + " \(best)")
    }
  }
}
