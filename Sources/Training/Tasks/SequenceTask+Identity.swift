import Configuration
import Datasets

extension SequenceTask {
  /// Refuses data that the run which goes on, or is measured, has not learned.
  func check(
    _ train: any SequenceSource, _ settings: TrainingConfiguration.Dataset
  ) throws(DatasetError) {
    guard let learned = settings.learned, !settings.file.isEmpty else { return }
    var meaning = try settings.place.meaning().meaning
    if let statistics { meaning.statistics = statistics }
    try learned.refuseOtherMeaning(meaning, settings.file)
    try learned.requireSizes(of: train, settings.view, settings.file)
    try learned.requireOrder(of: settings.meaning(of: train), settings.file)
  }

  /// What tells the data of a run from others.
  ///
  /// - Parameters:
  ///   - settings: where the data are
  ///   - train: the training part, or the one that is measured, as `source` has opened it
  ///   - validation: opens the part that is validated on; nil leaves it out
  func identity(
    _ settings: TrainingConfiguration.Dataset, train: any SequenceSource,
    validation: (() throws -> any SequenceSource)?
  ) throws -> DataIdentity {
    var identity = DataIdentity()
    let name = settings.measured ?? .train
    identity.parts[name.rawValue] = try train.identity()
    let part = DatasetFile.Part.validation
    guard !settings.file.isEmpty else {
      identity.generated = generatedSettings.map { "\(settings.task.rawValue) \($0)" }
      if let validation { identity.parts[part.rawValue] = try validation().identity() }
      return identity
    }
    identity.meaning = try settings.meaning(of: train)
    if let statistics { identity.meaning.statistics = statistics }
    // Where classes were taken by their names, the run's numbers count.
    identity.meaning.classNames = train.classNames ?? identity.meaning.classNames
    identity.heldOut = heldOut
    guard let validation, heldOut == nil, try settings.place.holds(part) else { return identity }
    identity.parts[part.rawValue] = try validation().identity()
    return identity
  }
}

extension TrainingConfiguration.Dataset {
  /// What the data mean, with the order in which the permuted view shows the pixels of a source.
  func meaning(of source: any SequenceSource) throws(DatasetError) -> DataMeaning {
    var meaning = try place.meaning().meaning
    if task == .classification, view == .permuted {
      meaning.pixelOrder = try pixelOrder.fingerprint(of: source.steps)
    }
    return meaning
  }
}
