// SPDX-License-Identifier: Apache-2.0

import Configuration
import Checkpoints
import Files
import Foundation

extension TrainingConfiguration {
  /// The configuration that a run resumes with: that of its checkpoint, with the changes made in
  /// the run's config.yaml since its newest checkpoint, and with the keys that the command line
  /// sets. The same rules apply to both kinds of changes.
  ///
  /// - Parameters:
  ///   - run: the run that the checkpoint belongs to
  ///   - reader: the checkpoint
  ///   - assignments: keys to set otherwise, as `key.path=value`
  /// - Returns: the configuration, and a line that names the keys that config.yaml changed
  public static func resuming(
    _ run: RunFolder, from reader: CheckpointReader, assignments: [String]
  ) throws(RunFailure) -> (configuration: TrainingConfiguration, notes: [String]) {
    let own = try TrainingConfiguration(of: reader)
    let edited = try editedKeys(of: run)
    var given = GivenValues()
    do throws(ConfigurationError) {
      for key in own.keys {
        given.replace(key.path, key.value, place: reader.folder, isByHand: false)
      }
      for (key, _) in edited {
        given.replace(key.path, key.value, place: run.configuration, isByHand: true)
      }
      let configuration = try TrainingConfiguration(given, assignments: assignments)
      let changes = edited.map { "\($0.key.path)=\($0.key.value) (was \($0.other))" }
      let note =
        "note: \(run.configuration) was changed since the checkpoint: "
        + changes.joined(separator: ", ")
      return (configuration, changes.isEmpty ? [] : [note])
    } catch {
      throw RunFailure(error)
    }
  }

  /// The keys whose values differ between the run's config.yaml and its newest checkpoint. A key
  /// that was removed from the file keeps the checkpoint's value.
  private static func editedKeys(
    of run: RunFolder
  ) throws(RunFailure) -> [(key: ConfigurationKey, other: String)] {
    guard let data = DurableFiles.ordinaryContents(of: run.configuration),
      let newest = try? RunFolder.firstReadable(at: run.path)
    else { return [] }
    let saved = try TrainingConfiguration(of: newest)
    do throws(ConfigurationError) {
      var given = GivenValues()
      for key in saved.keys {
        given.replace(key.path, key.value, place: newest.folder, isByHand: false)
      }
      guard let text = String(validating: data, as: UTF8.self) else {
        throw ConfigurationError(
          "\(run.configuration): is not UTF-8 text; save it as UTF-8, or remove it")
      }
      try given.add(yaml: text, path: run.configuration, isResolved: true)
      return try TrainingConfiguration(given, assignments: []).differences(to: saved)
    } catch {
      throw RunFailure(error)
    }
  }
}
