// SPDX-License-Identifier: Apache-2.0

import Configuration
import Datasets
import Models

/// One class per sequence, from a file: MNIST and similar sets by rows, pixels or permuted pixels,
/// and sequences of equal or unequal lengths from archives and tables.
///
/// Validation uses sequences held out of the training part, or the file's own validation part; see
/// `HeldOutCount`.
final class ClassificationTask: SequenceTask {
  private let settings: TrainingConfiguration.Dataset
  private let seed: UInt64
  private let normalisation: InputNormalisation
  private let parts: HeldOutPart
  private let weighting: ClassWeighting
  private(set) var mapping: String?

  /// - Parameter seed: the seed of image augmentation
  init(_ configuration: TrainingConfiguration.Dataset, seed: UInt64) {
    settings = configuration
    self.seed = seed
    parts = HeldOutPart(configuration)
    normalisation = InputNormalisation(configuration)
    weighting = ClassWeighting(configuration)
  }

  var statistics: DataMeaning.Statistics? { normalisation.statistics }
  var notes: [String] { normalisation.notes }

  /// Known once the training part is open.
  var objective: any Objective { CrossEntropy(classWeights: weighting.weights) }
  var heldOut: Int? { parts.count }
  var validationSummary: String? { parts.summary }

  func source(_ part: DatasetFile.Part) throws -> any SequenceSource {
    let source = try parts.source(part, open: open)
    try weighting.find(in: source, part)
    return source
  }

  func resolved(_ configuration: TrainingConfiguration) -> TrainingConfiguration {
    weighting.resolved(parts.resolved(configuration))
  }

  private func open(_ part: DatasetFile.Part) throws -> any SequenceSource {
    let place = settings.place
    let (meaning, declared) = try normalisation.meaning()
    var numbering = try settings.learned?.numbering(
      of: meaning, declared: declared, settings.file)
    let classes =
      numbering?.numbers.count ?? parts.train?.targetKind.outputs ?? settings.learned?.outputs
    func open(_ part: DatasetFile.Part) throws -> any SequenceSource {
      try self.open(place, part, classes: classes)
    }
    let stored = try open(part)
    let source = try normalisation.applied(to: stored) {
      try part == .train ? stored : open(.train)
    }
    if numbering == nil, meaning.classNames == nil, let names = source.classNames {
      // In a user's own file, class names are used only if they fit the labels.
      var own = meaning
      own.classNames = names
      numbering = try settings.learned?.numbering(of: own, declared: nil, settings.file)
    }
    guard let numbering else { return source }
    if let place = numbering.numbers.indices.first(where: { numbering.numbers[$0] != Int32($0) }) {
      let number = numbering.numbers[place]
      mapping =
        "class \(place) is \(numbering.names[Int(number)].debugDescription), which is \(number) in the"
        + " run; classes are matched by name"
    }
    return RelabelledSource(source, numbering)
  }

  private func open(
    _ place: DatasetPlace, _ part: DatasetFile.Part, classes: Int?
  ) throws -> any SequenceSource {
    if settings.view == .image {
      return ShownImages(
        try ImageSource(place, part: part, classes: classes), as: settings.imageShow, seed: seed)
    }
    if try place.isRagged(part) {
      guard settings.view == .rows else {
        throw ConfigurationError(
          "dataset.view is \(settings.view.rawValue), but \(settings.file) holds sequences of unequal"
            + " lengths; set dataset.view=rows")
      }
      return try SequenceFileSource(
        place, task: TaskName.classification.rawValue, part: part, classes: classes)
    }
    return try FileSource(
      place, part: part, classes: classes, view: settings.view, pixelOrder: settings.pixelOrder)
  }
}

extension TrainingConfiguration.Dataset {
  /// The place of the data set.
  var place: DatasetPlace {
    var place = DatasetPlace(file)
    (place.inputs, place.targets, place.offsets) = (inputs, targets, offsets)
    if task == .maskedSpikes {
      if inputs == DatasetPlace.ownInputs { place.inputs = SpikeSource.ownSpikes }
      if targets == DatasetPlace.ownTargets { place.targets = SpikeSource.ownRates }
    }
    (place.times, place.readsTimes) = (times, readTimes == .auto)
    place.classes = classes
    place.unlabelled = unlabelled
    place.memoryLimit = memory << 20
    return place
  }
}
