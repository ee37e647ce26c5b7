// SPDX-License-Identifier: Apache-2.0

import Configuration
import Datasets
import Models

/// Predicts each frame of a spectrogram from those before it: the paper's TIMIT task. The loss is
/// the mean squared error over the valid frames only.
struct NextFrameTask: SequenceTask {
  private let settings: TrainingConfiguration.Dataset

  init(_ configuration: TrainingConfiguration.Dataset) {
    settings = configuration
  }

  var objective: any Objective { SquaredError() }

  func chance(on source: any SequenceSource) -> ChanceLoss? {
    (source as? NextFrameSource)?.persistenceError.map {
      ChanceLoss($0, "predicting each frame by the one before")
    }
  }

  func source(_ part: DatasetFile.Part) throws -> any SequenceSource {
    try NextFrameSource(settings.place, part: part)
  }
}
