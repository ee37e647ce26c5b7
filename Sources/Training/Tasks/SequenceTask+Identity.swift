// SPDX-License-Identifier: Apache-2.0

import Configuration
import Datasets

extension SequenceTask {
  /// Refuses data that differ from what the resumed or evaluated run has learned.
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

  /// The identity of a run's data.
  ///
  /// - Parameters:
  ///   - settings: the place of the data
  ///   - train: the training part, or the one to evaluate, as `source` has opened it
  ///   - validation: opens the validation part; nil leaves it out
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
    // If classes were matched by their names, the run's numbers count.
    identity.meaning.classNames = train.classNames ?? identity.meaning.classNames
    identity.heldOut = heldOut
    guard let validation, heldOut == nil, try settings.place.holds(part) else { return identity }
    identity.parts[part.rawValue] = try validation().identity()
    return identity
  }
}

extension TrainingConfiguration.Dataset {
  /// The meaning of the data, with the order of pixels in the permuted view of a source.
  func meaning(of source: any SequenceSource) throws(DatasetError) -> DataMeaning {
    var meaning = try place.meaning().meaning
    if task == .classification, view == .permuted {
      meaning.pixelOrder = try pixelOrder.fingerprint(of: source.steps)
    }
    return meaning
  }
}
