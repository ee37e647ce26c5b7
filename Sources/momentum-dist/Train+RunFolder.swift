// SPDX-License-Identifier: Apache-2.0

import Checkpoints
import Configuration
import Files
import Foundation
import Training

/// Determines the folder of a run, and the run that `--resume` continues.
extension Train {
  /// The run's folder by default, named after the configuration, or else after the data.
  var defaultRun: String {
    guard let config else { return "runs/\(nameOfSettings)" }
    // A pipe has no meaningful name.
    if ["/dev/", "/proc/"].contains(where: config.hasPrefix) { return "runs/unnamed" }
    return "runs/" + DurableFiles.stem(of: DurableFiles.lastName(of: config))
  }

  /// The name of a run without a configuration: that of its data set, or of its task.
  private var nameOfSettings: String {
    func value(_ key: String) -> String? {
      assignments.last { $0.hasPrefix("\(key)=") }.map { String($0.dropFirst(key.count + 1)) }
    }
    let file = value("dataset.file").map { DurableFiles.stem(of: DurableFiles.lastName(of: $0)) }
    return [file, value("dataset.task")].compactMap { $0 }.first { name in
      // Not a pattern, or a list of files.
      !name.isEmpty && !name.hasPrefix(".")
        && name.allSatisfy { $0.isLetter || $0.isNumber || "-_.".contains($0) }
    } ?? "adding"
  }

  /// The resolved command line, which rank 0 sends to the others.
  struct Resolved: Codable {
    /// As YAML.
    var configuration: String
    /// The run's folder.
    var run: String
    /// As the option: nil starts the run, empty takes its newest checkpoint.
    var resume: String?
    var notes: [String]
  }

  /// Replaces `--resume auto` by a resume or a fresh start.
  ///
  /// - Parameters:
  ///   - folder: the run's folder
  ///   - hasBegun: whether it has a checkpoint
  mutating func decideResume(_ folder: String, hasBegun: () -> Bool) throws {
    guard resume == Self.automatic else { return }
    resume = hasBegun() ? "" : nil
    guard resume == nil, newData else { return }
    throw RunFailure(
      .usage, "\(folder): has no checkpoint to continue from; --new-data needs one")
  }

  /// The value of `--resume` that means "if there is a run".
  static let automatic = "auto"

  /// The configuration and the run's folder that the options describe, and notes on them.
  func resolve() throws -> (TrainingConfiguration, RunFolder, notes: [String]) {
    let run = RunFolder(output ?? resumedRun ?? defaultRun)
    if config != nil || resume == nil {
      let configuration = try TrainingConfiguration(file: config, assignments: settings)
      try refuseOverwriting(run)
      return (configuration, run, [])
    }
    // A resumed run brings its own configuration with its checkpoint.
    try refuseOverwriting(run)
    let path = resume.flatMap { $0.isEmpty ? nil : $0 } ?? run.path
    let (configuration, notes) = try TrainingConfiguration.resuming(
      RunFolder(resumedRun ?? run.path), from: RunFolder.firstReadable(at: path),
      assignments: settings)
    return (configuration, run, notes)
  }

  /// The run that `--resume PATH` names, by itself or by one of its checkpoints.
  var resumedRun: String? {
    guard let resume, !resume.isEmpty, resume != Self.automatic else { return nil }
    let parent = DurableFiles.parent(of: DurableFiles.withoutLastSlashes(resume))
    return DurableFiles.lastName(of: parent) == "checkpoints"
      ? DurableFiles.parent(of: parent) : resume
  }

  func refuseOverwriting(_ run: RunFolder) throws {
    guard DurableFiles.isFolder(run.path) || FileStamp(run.path) == nil else {
      throw RunFailure(
        .usage, "\(run.path): is not a folder; name the folder of a run with --output")
    }
    guard !dryRun, let step = run.savedSteps().last else { return }
    if resume == nil { throw Trainer.holdsRun(run, step: step) }
    func whole(_ path: String) -> String {
      URL(fileURLWithPath: path).resolvingSymlinksInPath().standardizedFileURL.path
    }
    if let resumedRun, whole(resumedRun) != whole(run.path) {
      throw RunFailure(
        .usage,
        "\(run.path): holds a run already (step \(step)), and --resume names another; leave out"
          + " --output to continue that one, or name a new folder")
    }
  }
}
