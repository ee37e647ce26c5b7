// SPDX-License-Identifier: Apache-2.0

import Configuration
import Checkpoints
import Datasets
import Foundation
import MPI

extension TrainingSession {
  /// Throws with the first difference if the run's data are no longer those that it learned from,
  /// unless the user allows different data. Call it before a resume.
  ///
  /// - Returns: a note for each difference, if the user allows different data
  public func refuseChangedData() throws(RunFailure) -> [String] {
    try agreement.together { try changesOfData() }
  }

  private func changesOfData() throws(DatasetError) -> [String] {
    guard let learned = configuration.dataset.learned else { return [] }
    var changes = [workload.stream.mapping].compactMap(\.self)
    if let known = learned.identity { changes += identity.changes(since: known) }
    guard let first = changes.first else { return [] }
    let place = configuration.dataset.file
    guard learned.use == .resumingOnNewData else {
      throw DatasetError(place, "\(first) (\(learned.folder))", cure: learned.cureWithFlag)
    }
    return changes.map { "note: \(place): \($0)" }
  }

  /// Refuses a checkpoint that learned from data other than this run's, unless the user allows
  /// different data. `refuseChangedData` compares with the newest checkpoint; if that is damaged,
  /// the run resumes from an older one, which may predate `--new-data`.
  func refuseOtherData(than manifest: CheckpointManifest, _ folder: String) throws(DatasetError) {
    guard let learned = configuration.dataset.learned, learned.use == .resuming,
      let known = manifest.data, let first = identity.changes(since: known).first
    else { return }
    throw DatasetError(
      configuration.dataset.file, "\(first) (\(folder))", cure: learned.cureWithFlag)
  }

  /// Notes on the data that the model is evaluated on: how their classes or words were
  /// matched, and whether a part that the run learned from has changed.
  ///
  /// - Parameter part: which is measured
  public func notes(on part: DatasetFile.Part) throws(RunFailure) -> [String] {
    var notes = [workload.stream.mapping, workload.stream.timesNote].compactMap(\.self)
    if configuration.dataset.measured == nil, part != .test {
      let own =
        part == .train
        ? identity : try agreement.together { try workload.stream.identity(validating: true) }
      notes += [changeOfPart(part, in: own)].compactMap(\.self)
    }
    return notes.map { "note: \(configuration.dataset.file): \($0)" }
  }

  /// The difference in a part that the run knows: held-out sequences are of the training part.
  private func changeOfPart(_ part: DatasetFile.Part, in own: DataIdentity) -> String? {
    guard let known = configuration.dataset.learned?.identity, known.generated == nil else {
      return nil
    }
    let isOwnPart = part == .validation && known.heldOut == nil
    let name = (isOwnPart ? part : .train).rawValue
    guard let own = own.parts[name], let learned = known.parts[name] else { return nil }
    return own.changes(since: learned, name).first
  }

  /// Whether the run has the data that a checkpoint was trained on.
  func hasData(of manifest: CheckpointManifest) -> Bool {
    guard let known = manifest.data else { return false }
    return identity.generated == known.generated && identity.changes(since: known).isEmpty
      && identity.validatesAlike(known)
  }

  /// The identity of the data. Throws on every rank if any rank's data differ from rank 0's.
  static func identity(
    of workload: Workload, _ settings: TrainingConfiguration.Dataset,
    on communicator: Communicator
  ) throws(RunFailure) -> DataIdentity {
    let isMeasured = settings.learned?.use == .measuring
    let identity = try Agreement(communicator).together {
      try workload.stream.identity(validating: !isMeasured)
    }
    try refuseUnequal(identity, on: communicator)
    return identity
  }

  /// Throws on every rank if any rank's part to measure on differs from rank 0's.
  func refuseUnequalParts(
    _ evaluation: Evaluation, _ part: DatasetFile.Part
  ) throws(RunFailure) {
    var identity = DataIdentity()
    identity.parts[part.rawValue] = try agreement.together { try evaluation.identity() }
    try Self.refuseUnequal(identity, on: communicator)
  }

  private static func refuseUnequal(
    _ identity: DataIdentity, on communicator: Communicator
  ) throws(RunFailure) {
    let text = (try? identity.json) ?? ""
    try refuseUnequal(text, on: communicator) { (first, other, rank) in
      func read(_ text: String) -> DataIdentity? {
        try? JSONDecoder().decode(DataIdentity.self, from: Data(text.utf8))
      }
      let difference = read(first).flatMap { read(other)?.differences(from: $0).first }
      return RunFailure(
        .unusableData,
        "rank \(rank) has different data from rank 0"
          + (difference.map { ": the \($0)" } ?? "") + "; give every host the same data")
    }
  }
}

extension DataIdentity {
  /// The parts that differ between two ranks.
  fileprivate func differences(from other: DataIdentity) -> [String] {
    DatasetFile.Part.allCases.map(\.rawValue).filter { parts[$0] != other.parts[$0] }
      .map { "\($0) part differs" }
  }

  /// The identity as one line of text.
  public var summary: String {
    var words: [String] = []
    for part in DatasetFile.Part.allCases.map(\.rawValue) {
      guard let own = parts[part] else { continue }
      words.append(
        own.kind == "tokens"
          ? "\(part) \(own.count) tokens"
          : "\(part) \(own.count) sequences T=\(own.steps) C=\(own.features) \(own.kind)"
            + (own.times == nil ? "" : " with times"))
    }
    if let heldOut { words.append("\(heldOut) held out for validation") }
    if let generated { words.append("generated: \(generated)") }
    if let vocabulary = meaning.vocabulary {
      words.append("vocabulary of \(vocabulary.count) \(vocabulary.level)s")
    }
    return words.joined(separator: ", ")
  }
}

extension Trainer {
  /// Resets what was measured on different validation data: those losses cannot be compared.
  func forgetOtherValidation(than manifest: CheckpointManifest) {
    guard let known = manifest.data, !session.identity.validatesAlike(known),
      state.bestLoss.isFinite || !state.validationLosses.isEmpty
    else { return }
    (state.bestLoss, state.bestStep, state.validationLosses) = (.infinity, nil, [])
    progress.say(
      "note: the validation data changed: the best loss so far, and the losses used by"
        + " early stopping and schedules, are reset")
  }
}
