// SPDX-License-Identifier: Apache-2.0

import Configuration
import Datasets

/// The training part of a data set, which is opened once, and its validation data: sequences held
/// out at random, or the file's own validation part; see `HeldOutCount`.
final class HeldOutPart {
  private let settings: TrainingConfiguration.Dataset
  /// The training part; nil before it is opened.
  private(set) var train: (any SequenceSource)?
  /// How many sequences are held out; nil if validation uses the file's own part.
  private(set) var count: Int?
  private(set) var summary: String?

  init(_ settings: TrainingConfiguration.Dataset) { self.settings = settings }

  /// The sequences that a run trains, validates or tests on.
  ///
  /// - Parameter open: opens a part of the file
  func source(
    _ part: DatasetFile.Part, open: (DatasetFile.Part) throws -> any SequenceSource
  ) throws -> any SequenceSource {
    guard part != .test, settings.measured == nil else { return try open(part) }
    let train = try openTrain(open)
    guard let count else { return part == .train ? train : try open(.validation) }
    let split = SubsetSource.split(train, holdingOut: count)
    return part == .train ? split.rest : split.heldOut
  }

  /// Opens the training part the first time, and determines the validation data.
  func openTrain(
    _ open: (DatasetFile.Part) throws -> any SequenceSource
  ) throws -> any SequenceSource {
    if let train { return train }
    let hasOwnPart = try settings.place.holds(.validation)
    let opened = try open(.train)
    count = try settings.heldOut(of: opened.count, hasOwnPart: hasOwnPart)
    summary = settings.validationSummary(heldOut: count, hasOwnPart: hasOwnPart)
    train = opened
    return opened
  }

  /// The configuration with the number that was found.
  func resolved(_ configuration: TrainingConfiguration) -> TrainingConfiguration {
    var configuration = configuration
    if settings.measured == nil, train != nil {
      configuration.dataset.heldOut = count.map { .count($0) } ?? .ownPart
    }
    return configuration
  }
}

extension TrainingConfiguration.Dataset {
  /// How many of `count` training sequences are held out for validation; nil if validation uses the
  /// file's own part.
  func heldOut(of count: Int, hasOwnPart: Bool) throws(ConfigurationError) -> Int? {
    switch heldOut {
    case .count(let held):
      guard held < count else {
        throw ConfigurationError(
          "dataset.validation_count is \(held), but \(file) has \(count) training"
            + " sequences; hold out fewer")
      }
      return held
    case .ownPart:
      guard hasOwnPart else {
        throw ConfigurationError(
          "dataset.validation_count is file, but \(file) has no validation part; set a"
            + " number of sequences to hold out of the training part")
      }
      return nil
    case .automatic: return hasOwnPart ? nil : HeldOutCount.share(of: count)
    }
  }

  /// The validation data in a few words.
  func validationSummary(heldOut: Int?, hasOwnPart: Bool) -> String {
    heldOut.map { count in
      "\(count) held out for validation"
        + (hasOwnPart && count > 0
          ? " (dataset.validation_count=file takes the file's own validation part)" : "")
    } ?? "validation on the file's own part"
  }
}
