import Checkpoints
import Datasets
import Files
import Foundation
import MPI
import Training

extension Train {
  /// Trains several seeds one after the other, tests the best checkpoint of each, and says what
  /// they came to.
  func trainSeeds(_ count: Int) throws {
    let communicator = try Launch.communicator()
    let progress = Progress(isActive: communicator.rank == 0)
    let agreement = Agreement(communicator)
    let top = output ?? resumedRun ?? defaultRun
    let settings = try agreement.together { try resolve(top) }
    var results: [SeedSummary.Result] = []
    for index in 0..<count {
      var settings = settings
      settings.seed += UInt64(index)
      let run = RunFolder(SeedSeries.folder(top, seed: settings.seed))
      let (hasStarted, refusal) = (!run.savedSteps().isEmpty, self.refuseOverwriting)
      try agreement.together { try refusal(run) }
      progress.say("seed \(settings.seed), \(index + 1) of \(count)")
      let session = try TrainingSession(settings, on: communicator)
      try Self.train(
        session, run, progress, resumingFrom: hasStarted ? run.path : nil, maximumSteps: maxSteps)
      results.append(
        try measure(run, seed: settings.seed, settings: settings, agreement, communicator))
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

  /// The configuration of the first seed: the one given, or, of a series that is resumed without
  /// one, that of its first run.
  private func resolve(_ top: String) throws -> TrainingConfiguration {
    if resume != nil, config == nil,
      let first = SeedSeries.folders(in: top).first(where: { !RunFolder($0).savedSteps().isEmpty })
    {
      let newest = try RunFolder.firstReadable(at: first)
      return try TrainingConfiguration(
        yaml: newest.manifest.configuration,
        path: "\(newest.folder)/\(CheckpointManifest.fileName)", assignments: settings)
    }
    return try TrainingConfiguration(file: config, assignments: settings)
  }

  /// Validation and test figures of a run's best checkpoint.
  private func measure(
    _ run: RunFolder, seed: UInt64, settings: TrainingConfiguration, _ agreement: Agreement,
    _ communicator: Communicator
  ) throws -> SeedSummary.Result {
    let (session, checkpoint, choice) = try TrainingSession.restore(
      from: run.path, choice: .best, assignments: [], on: communicator)
    var values: [String: Double] = [:]
    let isValidated = settings.dataset.validationCount > 0
    for part in isValidated ? [DatasetFile.Part.validation, .test] : [.test] {
      let (record, _) = try session.record(
        of: part, at: checkpoint.manifest, checkpoint: choice)
      values["\(part.rawValue)_loss"] = record.loss
      for (name, value) in record.metrics { values["\(part.rawValue)_\(name)"] = value }
      try agreement.together {
        if communicator.rank == 0 { try record.write(to: run.path) }
      }
    }
    return SeedSummary.Result(seed: seed, step: checkpoint.manifest.step, values: values)
  }
}
