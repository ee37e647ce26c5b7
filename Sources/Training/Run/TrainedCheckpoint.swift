import Configuration
import Checkpoints
import Optimizers

/// Which checkpoint of a run is meant.
public enum CheckpointChoice: String, Sendable, CaseIterable {
  /// The newest one that is whole.
  case latest
  /// The one with the lowest validation loss, or the newest where nothing was validated.
  case best
}

/// A checkpoint that was read whole and compared with its sums, to use what was trained.
public struct TrainedCheckpoint {
  public let reader: CheckpointReader
  public let tensors: [CheckpointTensor]
  /// What it is: the best only where that was asked for and something was validated.
  public let choice: CheckpointChoice

  public var manifest: CheckpointManifest { reader.manifest }
  public var folder: String { reader.folder }

  /// Reads a checkpoint. Every rank calls this and gets the same one.
  ///
  /// - Parameters:
  ///   - path: a run's folder, of which the newest checkpoint that is whole is taken, or a
  ///     checkpoint's
  ///   - choice: which checkpoint of a run
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

  /// Where the trained parameters are among the tensors: what averaged SGD has to show is its
  /// average, which its first step starts.
  public var parametersGroup: String {
    let optimizer = manifest.optimizer
    let slot = UpdateRules.evaluatedSlot(ofRuleNamed: optimizer.name)
    return slot.map { optimizer.stepCount > 0 ? "optimizer/\($0)" : "parameters" } ?? "parameters"
  }
}

extension RunFolder {
  /// The checkpoint of a run with the lowest validation loss, and whether it is there; nil if
  /// nothing was validated, and if the path is that of a checkpoint.
  static func best(at path: String) -> BestCheckpoint? {
    let all = candidates(at: path)
    guard all.first != path, let newest = try? firstReadable(at: path),
      let step = newest.manifest.bestStep
    else { return nil }
    let run = RunFolder(path)
    let folder = run.existingCheckpoint(step: step)
    return all.contains(folder)
      ? BestCheckpoint(folder: folder, isThere: true)
      : BestCheckpoint(folder: run.checkpoint(step: step), isThere: false)
  }

  /// The checkpoint that was the best on validation, and whether it still is there.
  struct BestCheckpoint: Codable {
    var folder: String
    var isThere: Bool
  }
}

extension TrainingConfiguration {
  /// The configuration that a checkpoint was made with.
  ///
  /// - Parameter assignments: keys to set otherwise, as `key.path=value`
  /// - Throws: a failure of status `unusableData` where the checkpoint's own cannot be read, of
  ///   status `configuration` where an assignment is wrong
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
