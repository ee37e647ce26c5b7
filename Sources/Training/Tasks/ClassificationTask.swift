import Datasets
import Foundation
import Models

/// One class per sequence, from a file: MNIST and its kin by rows, pixels or permuted pixels.
struct ClassificationTask: TrainingTask {
  private let settings: TrainingConfiguration.Dataset

  init(_ configuration: TrainingConfiguration.Dataset, seed: UInt64) {
    settings = configuration
  }

  var loss: LossKind { .crossEntropy }
  var lossName: String { "cross-entropy" }

  func chance(_ targets: TargetKind) -> (loss: Double, meaning: String)? {
    (log(Double(targets.outputs)), "ln \(targets.outputs), guessing")
  }

  func source(_ part: DatasetFile.Part) throws -> any SequenceSource {
    guard part != .test else { return try open(.test) }
    let train = try open(.train)
    guard settings.validationCount < train.count else {
      throw ConfigurationError(
        "dataset.validation_count is \(settings.validationCount), but \(settings.file) has"
          + " \(train.count) training sequences; hold out fewer")
    }
    let split = SubsetSource.split(train, holdingOut: settings.validationCount)
    return part == .train ? split.rest : split.heldOut
  }

  private func open(_ part: DatasetFile.Part) throws -> FileSource {
    try FileSource(
      settings.file, part: part, view: settings.view, permutationSeed: settings.permutationSeed)
  }
}
