// SPDX-License-Identifier: Apache-2.0

import Configuration
import Checkpoints
import Optimizers

/// The choice of a checkpoint of a run.
public enum CheckpointChoice: String, Sendable, CaseIterable {
  /// The newest complete one.
  case latest
  /// The one with the lowest validation loss, or the newest if nothing was validated.
  case best
}

/// A trained model's checkpoint, read completely and verified.
public struct TrainedCheckpoint {
  /// The checkpoint, whose files are verified.
  public let reader: CheckpointReader
  /// The tensors of the checkpoint.
  public let tensors: [CheckpointTensor]
  /// Which checkpoint it is: the best only if that was requested and something was validated.
  public let choice: CheckpointChoice

  /// The manifest of the checkpoint.
  public var manifest: CheckpointManifest { reader.manifest }
  /// The checkpoint's folder.
  public var folder: String { reader.folder }

  /// Reads a checkpoint. Every rank calls this and gets the same one.
  ///
  /// - Parameters:
  ///   - path: a run's folder, or a checkpoint's
  ///   - choice: which checkpoint of a run
  ///   - agreement: of the ranks that read it
  ///   - progress: prints a note if the best or the newest checkpoint cannot be used
  public init(
    at path: String, choice: CheckpointChoice, _ agreement: Agreement, saying progress: Progress
  ) throws(RunFailure) {
    (reader, tensors, self.choice) = try agreement.reading(at: path) { () throws(RunFailure) in
      try Self.read(at: path, choice: choice, agreement, saying: progress)
    }
  }

  private static func read(
    at path: String, choice: CheckpointChoice, _ agreement: Agreement, saying progress: Progress
  ) throws(RunFailure) -> (CheckpointReader, [CheckpointTensor], CheckpointChoice) {
    func read(_ folder: String) throws(RunFailure) -> (CheckpointReader, [CheckpointTensor]) {
      try agreement.together {
        let reader = try CheckpointReader(folder)
        return (reader, try reader.checkedTensors())
      }
    }
    let listed = try agreement.fromRoot { RunFolder.candidates(at: path) }
    let best = try agreement.fromRoot { choice == .best ? RunFolder.best(at: path) : nil }
    if let best, !best.isThere {
      guard try !agreement.haveChanged(at: path, since: listed) else {
        throw RunFailure(
          .unusableData, "\(best.folder): was removed while it was read; try again")
      }
      progress.say(
        "\(best.folder): the best checkpoint on validation is missing; measuring the newest"
          + " instead")
    } else if let best {
      do throws(RunFailure) {
        let (reader, tensors) = try read(best.folder)
        return (reader, tensors, .best)
      } catch {
        guard error.status == .unusableData,
          try !agreement.haveChanged(at: path, since: listed)
        else { throw error }
        progress.say("\(error); measuring the newest instead of the best")
      }
    }
    let (reader, tensors) = try agreement.newestUsable(at: path, saying: progress, read)
    return (reader, tensors, .latest)
  }

  /// The group of the trained parameters among the tensors: for averaged SGD, that of the averages,
  /// which exist from its first step on.
  public var parametersGroup: String {
    let optimizer = manifest.optimizer
    let slot = UpdateRules.evaluatedSlot(ofRuleNamed: optimizer.name)
    return slot.map { optimizer.stepCount > 0 ? "optimizer/\($0)" : "parameters" } ?? "parameters"
  }
}

extension RunFolder {
  /// The checkpoint of a run with the lowest validation loss, and whether it still exists; nil if
  /// nothing was validated, and if the path is that of a checkpoint.
  static func best(at path: String) -> BestCheckpoint? {
    guard candidates(at: path).first != path, let newest = try? firstReadable(at: path),
      let step = newest.manifest.bestStep
    else { return nil }
    let run = RunFolder(path)
    let folder = run.existingCheckpoint(step: step)
    // The list is newer than the manifest, which may name a step that was saved meanwhile.
    return candidates(at: path).contains(folder)
      ? BestCheckpoint(folder: folder, isThere: true)
      : BestCheckpoint(folder: run.checkpoint(step: step), isThere: false)
  }

  /// The checkpoint that was the best on validation, and whether it still exists.
  struct BestCheckpoint: Codable {
    var folder: String
    var isThere: Bool
  }
}

extension TrainingConfiguration {
  /// The configuration that a checkpoint was made with.
  ///
  /// - Parameters:
  ///   - reader: the open checkpoint
  ///   - assignments: keys to set otherwise, as `key.path=value`
  /// - Throws: a failure of status `unusableData` if the checkpoint's own cannot be read, of status
  ///   `configuration` if an assignment is wrong
  public init(
    of reader: CheckpointReader, assignments: [String] = []
  ) throws(RunFailure) {
    let yaml = reader.manifest.configuration
    let path = "\(reader.folder)/\(CheckpointManifest.fileName)"
    do {
      self = try TrainingConfiguration(yaml: yaml, path: path, isResolved: true)
    } catch {
      throw RunFailure(.unusableData, error.description)
    }
    guard !assignments.isEmpty else { return }
    do {
      self = try TrainingConfiguration(
        yaml: yaml, path: path, assignments: assignments, isResolved: true)
    } catch {
      throw RunFailure(error)
    }
  }
}
