import Datasets
import Models

/// The adding problem, generated: nothing to download.
struct AddingTask: TrainingTask {
  private let settings: TrainingConfiguration.Dataset

  init(_ configuration: TrainingConfiguration.Dataset) {
    settings = configuration
  }

  var loss: LossKind { .squaredError }
  var lossName: String { "mean squared error" }

  func chance(on source: any SequenceSource) -> (loss: Double, meaning: String)? {
    (AddingProblem.chanceError, "answering 1 always")
  }

  func source(_ part: DatasetFile.Part) throws -> any SequenceSource {
    let count =
      switch part {
      case .train: settings.trainCount
      case .validation: settings.validationCount
      case .test: settings.testCount
      }
    // The sequences do not depend on the run's seed, so that runs are comparable.
    return AddingProblem(count: count, steps: settings.steps, seed: 0, part: part)
  }
}
