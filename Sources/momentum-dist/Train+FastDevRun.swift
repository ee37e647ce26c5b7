// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Checkpoints
import Configuration
import Datasets
import Files
import Foundation
import MPI
import Training

extension Train {
  /// Refuses options that cannot be combined with --fast-dev-run.
  func validateFastDevRun() throws {
    guard fastDevRun else { return }
    let others = [
      ("--resume", resume != nil), ("--max-steps", maxSteps != nil), ("--max-time", maxTime != nil),
      ("--test", test), ("--seeds", seeds != nil), ("--sweep", !sweeps.isEmpty),
    ]
    for (name, isGiven) in others where isGiven {
      throw ValidationError("--fast-dev-run tries all parts by itself; leave out \(name).")
    }
  }

  /// How many optimizer steps are taken.
  private static let stepsOfTrial = 3

  /// Takes a few steps, saves, reads the checkpoint back, validates and tests a batch. It writes to
  /// a folder next to the run's, on the same file system, and removes the folder.
  func tryAllParts() throws {
    let communicator = try Launch.communicator()
    let progress = Progress(isActive: communicator.rank == 0)
    let agreement = Agreement(communicator)
    let resolved = try agreement.fromRoot {
      var configuration = try TrainingConfiguration(file: config, assignments: settings)
      configuration.log.everySteps = 1
      if configuration.replicaCheckSteps > 0 { configuration.replicaCheckSteps = 1 }
      return Resolved(
        configuration: configuration.yaml,
        run: DurableFiles.temporaryName(for: output ?? defaultRun), resume: nil, notes: [])
    }
    let run = RunFolder(resolved.run)
    let parents = Self.missingParents(of: run.path)
    defer {
      if communicator.rank == 0 {
        try? FileManager.default.removeItem(atPath: run.path)
        // Only if it is empty.
        for parent in parents { rmdir(parent) }
      }
    }
    let configuration = try agreement.together {
      try TrainingConfiguration(
        yaml: resolved.configuration, path: run.configuration, isResolved: true)
    }
    let written = try trainAndSave(configuration, run, progress, on: communicator)
    let parts = try readBack(configuration, run, expecting: written, on: communicator)
    progress.say(
      "\(written.step == 1 ? "1 step" : "\(written.step) steps"), a checkpoint written and read back"
        + parts.map { ", a \($0.rawValue) batch" }.joined() + ": all parts work; nothing was kept")
  }

  /// Takes the steps and saves.
  ///
  /// - Returns: the last step, and the checksum of the parameters
  private func trainAndSave(
    _ configuration: TrainingConfiguration, _ run: RunFolder, _ progress: Training.Progress,
    on communicator: Communicator
  ) throws -> (step: Int, digest: String) {
    let session = try TrainingSession(configuration, on: communicator)
    let trainer = try Trainer(session, run: run, progress: progress)
    let starts = try initial.map { try session.startParameters(from: $0) }
    try trainer.createRun()
    for note in starts ?? [] { progress.say("note: \(note)") }
    progress.say(session.summary)
    for warning in session.warnings { progress.say("warning: \(warning)") }
    for note in session.workload.stream.notes { progress.say("note: \(note)") }
    guard try trainer.train(maximumSteps: Self.stepsOfTrial) != .preempted else {
      throw RunFailure(.preempted, "interrupted by a signal; --fast-dev-run keeps nothing")
    }
    return (trainer.step, session.parametersDigest)
  }

  /// Reads the checkpoint back as a resume does, and measures a batch of each other part.
  ///
  /// - Returns: the parts that were measured
  private func readBack(
    _ configuration: TrainingConfiguration, _ run: RunFolder,
    expecting written: (step: Int, digest: String), on communicator: Communicator
  ) throws -> [DatasetFile.Part] {
    let session = try TrainingSession(configuration, on: communicator)
    let trainer = try Trainer(session, run: run, progress: Progress(isActive: false))
    try trainer.resume(from: run.path)
    guard trainer.step == written.step, session.parametersDigest == written.digest else {
      throw RunFailure(
        .unusableData,
        "\(run.path): the checkpoint that was read back differs from the one that was saved;"
          + " check the disk, or write to another one with --output")
    }
    var parts: [DatasetFile.Part] = configuration.dataset.isValidated ? [.validation] : []
    if try session.hasTestPart { parts.append(.test) }
    for part in parts { try session.tryBatch(of: part) }
    return parts
  }

  /// The folders above a path that do not exist, the innermost first.
  private static func missingParents(of path: String) -> [String] {
    var (missing, parent) = ([String](), DurableFiles.parent(of: path))
    while ![".", "/", ""].contains(parent), FileStamp(parent) == nil {
      missing.append(parent)
      parent = DurableFiles.parent(of: parent)
    }
    return missing
  }
}
