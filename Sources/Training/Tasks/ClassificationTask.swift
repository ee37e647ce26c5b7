import Datasets
import Foundation
import Models

/// One class per sequence, from a file: MNIST and its kin by rows, pixels or permuted pixels, and
/// sequences of equal or unequal lengths from archives and tables.
final class ClassificationTask: SequenceTask {
  private let settings: TrainingConfiguration.Dataset
  /// The training part, which is opened once and shared by training and validation.
  private var train: (any SequenceSource)?

  init(_ configuration: TrainingConfiguration.Dataset) {
    settings = configuration
  }

  var loss: LossKind { .crossEntropy }
  var lossName: String { "cross-entropy" }

  func chance(on source: any SequenceSource) -> ChanceLoss? {
    let classes = source.targetKind.outputs
    return ChanceLoss(log(Double(classes)), "ln \(classes), guessing")
  }

  func source(_ part: DatasetFile.Part) throws -> any SequenceSource {
    guard part != .test else { return try open(.test) }
    let train = try self.train ?? open(.train)
    self.train = train
    guard settings.validationCount < train.count else {
      throw ConfigurationError(
        "dataset.validation_count is \(settings.validationCount), but \(settings.file) has"
          + " \(train.count) training sequences; hold out fewer")
    }
    let split = SubsetSource.split(train, holdingOut: settings.validationCount)
    return part == .train ? split.rest : split.heldOut
  }

  private func open(_ part: DatasetFile.Part) throws -> any SequenceSource {
    let place = settings.place
    if try place.isRagged() {
      guard settings.view == .rows else {
        throw ConfigurationError(
          "dataset.view is \(settings.view.rawValue), but \(settings.file) holds sequences of unequal"
            + " lengths; set dataset.view=rows")
      }
      return try SequenceFileSource(
        place, task: TaskName.classification.rawValue, part: part,
        classes: train?.targetKind.outputs)
    }
    return try FileSource(
      place, part: part, classes: train?.targetKind.outputs, view: settings.view,
      permutationSeed: settings.permutationSeed)
  }
}

extension TrainingConfiguration.Dataset {
  /// Where the data set lies.
  var place: DatasetPlace {
    var place = DatasetPlace(file)
    (place.inputs, place.targets, place.offsets) = (inputs, targets, offsets)
    place.classes = classes
    place.memoryLimit = memory << 20
    return place
  }
}
