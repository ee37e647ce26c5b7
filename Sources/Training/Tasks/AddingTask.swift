// SPDX-License-Identifier: Apache-2.0

import Configuration
import Datasets
import Models

/// The adding problem, generated, or from a file that `prepare adding` made.
struct AddingTask: SequenceTask {
  private let settings: TrainingConfiguration.Dataset

  init(_ configuration: TrainingConfiguration.Dataset) {
    settings = configuration
  }

  var objective: any Objective { SquaredError() }

  var generatedSettings: String? { "steps=\(settings.steps)" }

  func chance(on source: any SequenceSource) -> ChanceLoss? {
    guard let file = source as? SequenceFileSource else {
      return ChanceLoss(AddingProblem.chanceError, AddingProblem.chanceMeaning)
    }
    if let chance = file.chance { return ChanceLoss(chance.loss, chance.meaning) }
    // A user's own file may hold any numbers.
    return file.count > 0 ? objective.chance(of: file.targets) : nil
  }

  func source(_ part: DatasetFile.Part) throws -> any SequenceSource {
    guard settings.file.isEmpty else {
      return try SequenceFileSource(settings.place, task: TaskName.adding.rawValue, part: part)
    }
    // The sequences do not depend on the run's seed, so that runs are comparable.
    return AddingProblem(
      count: settings.count(of: part), steps: settings.steps, seed: 0, part: part)
  }
}

extension TrainingConfiguration.Dataset {
  /// How many sequences of a part are generated.
  func count(of part: DatasetFile.Part) -> Int {
    switch part {
    case .train: trainCount
    case .validation: validationCount
    case .test: testCount
    }
  }
}
