// SPDX-License-Identifier: Apache-2.0

import Configuration
import Checkpoints
import Datasets
import Files
import Foundation
import Liveness
import MPI
import Placement
import Reports
import Training

extension SeedSeries {
  /// The first run of a series that has a checkpoint; nil if none has.
  static func begun(in top: String) -> String? {
    folders(in: top).first { !RunFolder($0).savedSteps().isEmpty }
  }
}

extension Train {
  /// Trains several seeds one after the other, tests the best checkpoint of each, and reports the
  /// results.
  func trainSeeds(_ count: Int) throws {
    let communicator = try Launch.communicator()
    let progress = Progress(isActive: communicator.rank == 0)
    let agreement = Agreement(communicator)
    let top = output ?? resumedRun ?? defaultRun
    let resolved = try agreement.fromRoot {
      var command = self
      try command.decideResume(top) { SeedSeries.begun(in: top) != nil }
      let (configuration, notes) = try command.resolve(top, count)
      return Resolved(
        configuration: configuration.yaml, run: top, resume: command.resume, notes: notes)
    }
    for note in resolved.notes { progress.say(note) }
    let settings = try agreement.together {
      try TrainingConfiguration(yaml: resolved.configuration, path: top, isResolved: true)
    }
    var results: [SeedSummary.Result] = []
    for index in 0..<count {
      var settings = settings
      settings.seed += UInt64(index)
      let run = RunFolder(SeedSeries.folder(top, seed: settings.seed))
      Launch.notes = RunFolder(top)
      let begun: String? = try agreement.fromRoot {
        guard let step = run.savedSteps().last else { return nil }
        if resolved.resume == nil { throw Trainer.holdsRun(run, step: step) }
        return run.path
      }
      progress.say("seed \(settings.seed), \(index + 1) of \(count)")
      if let path = begun {
        settings = try settings.resuming(path, acceptingNewData: newData, agreement)
      }
      let session = try TrainingSession(settings, on: communicator)
      do {
        try train(session, run, progress, resumingFrom: begun)
      } catch let failure as RunFailure where failure.status == .preempted {
        throw RunFailure(
          .preempted,
          "interrupted by a signal at seed \(settings.seed), which is saved; continue with --seeds"
            + " \(count) --resume --output \(top)")
      }
      results.append(
        try measure(
          run, seed: settings.seed, settings: session.configuration, agreement, communicator))
    }
    let summary = SeedSummary(results)
    try agreement.together {
      guard communicator.rank == 0 else { return }
      try DurableFiles.write(try summary.json + "\n", to: SeedSeries.summaryPath(top))
    }
    guard communicator.rank == 0 else { return }
    for result in results {
      print("seed \(result.seed)  step \(result.step)  \(SeedSummary([result]).plainText)")
    }
    print("\(count == 1 ? "1 seed" : "\(count) seeds")  \(summary.text)")
  }

  /// The configuration of the first seed: the given one, or, for a series that is resumed without
  /// one, that of its first run.
  private func resolve(
    _ top: String, _ count: Int
  ) throws -> (TrainingConfiguration, notes: [String]) {
    let first = SeedSeries.begun(in: top)
    if let resume, !resume.isEmpty, !FileManager.default.fileExists(atPath: resume) {
      throw RunFailure(RunFolder.noCheckpoint(at: resume))
    }
    if let resume, !resume.isEmpty, first == nil || top != resume {
      throw RunFailure(
        .usage,
        "--resume \(resume): with --seeds it must be the folder of a series, that of --output; leave"
          + " out --seeds to continue one run")
    }
    let (configuration, notes): (TrainingConfiguration, [String]) =
      if resume != nil, config == nil, let first {
        try TrainingConfiguration.resuming(
          RunFolder(first), from: RunFolder.firstReadable(at: first), assignments: settings)
      } else {
        (try TrainingConfiguration(file: config, assignments: settings), [])
      }
    guard !configuration.seed.addingReportingOverflow(UInt64(count)).overflow else {
      throw RunFailure(
        .usage, "seed is \(configuration.seed): \(count) seeds from there exceed the largest seed")
    }
    return (configuration, notes)
  }

  /// Validation and test figures of a run's best checkpoint.
  private func measure(
    _ run: RunFolder, seed: UInt64, settings: TrainingConfiguration, _ agreement: Agreement,
    _ communicator: Communicator
  ) throws -> SeedSummary.Result {
    let isValidated = settings.dataset.isValidated
    let (step, values) = try Self.measure(
      isValidated ? [.validation, .test] : [.test], of: run, agreement, communicator)
    return SeedSummary.Result(seed: seed, step: step, values: values)
  }

  /// Evaluates a run's best checkpoint on parts of its data and keeps the results in its folder.
  ///
  /// - Parameter whole: the plan of all ranks of the job, if these are only some of them
  /// - Returns: the checkpoint's step, and the results
  static func measure(
    _ parts: [DatasetFile.Part], of run: RunFolder, _ agreement: Agreement,
    _ communicator: Communicator, within whole: CorePlan? = nil
  ) throws -> (step: Int, values: [String: Double]) {
    let (session, checkpoint) = try TrainingSession.restore(
      from: run.path, choice: .best, assignments: [], on: communicator, within: whole)
    var values: [String: Double] = [:]
    for part in parts {
      let (record, _) = try session.record(
        of: part, at: checkpoint.manifest, checkpoint: checkpoint.choice)
      values["\(part.rawValue)_loss"] = record.loss
      for (name, value) in record.metrics { values["\(part.rawValue)_\(name)"] = value }
      try agreement.together {
        if communicator.rank == 0, let note = try record.write(to: run.path) {
          Launch.say("note: \(note)")
        }
      }
    }
    return (checkpoint.manifest.step, values)
  }
}
