// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Checkpoints
import Configuration
import Files
import Foundation
import Liveness
import MPI
import Reports
import Training

extension Train {
  /// Refuses options that cannot be combined.
  func validateSweep() throws {
    guard !sweeps.isEmpty else {
      if trials != nil { throw ValidationError("--trials sets the number of draws; add --sweep.") }
      if halving != nil { throw ValidationError("--halving compares trials; add --sweep.") }
      return
    }
    if let trials, trials < 1 {
      throw ValidationError("--trials is \(trials); expected a number of 1 or more.")
    }
    if let halving, halving < 2 {
      throw ValidationError("--halving is \(halving); expected a number of 2 or more.")
    }
    let others = [
      ("--seeds", seeds != nil), ("--test", test), ("--max-steps", maxSteps != nil),
      ("--max-time", maxTime != nil), ("--new-data", newData),
    ]
    for (name, isGiven) in others where isGiven {
      throw ValidationError("\(name) cannot be combined with --sweep; leave one of them out.")
    }
    if let resume, !resume.isEmpty, resume != Self.automatic {
      throw ValidationError(
        "--resume of a sweep takes no path; name the folder of the sweep with --output.")
    }
  }

  /// Trains the trials of a sweep one after the other, each on all ranks, and compares them on
  /// validation.
  func trainSweep() throws {
    let communicator = try Launch.communicator()
    let progress = Progress(isActive: communicator.rank == 0)
    let agreement = Agreement(communicator)
    let top = output ?? defaultRun
    var sweep = try agreement.fromRoot { try planned(top) }
    if dryRun {
      guard communicator.rank == 0 else { return }
      for (index, trial) in sweep.trials.enumerated() {
        print("\(SweepRecord.name(trial: index))  \(Self.words(trial.settings))")
      }
      return
    }
    Launch.notes = RunFolder(top)
    let keep = { (record: SweepRecord) in
      try agreement.together { if communicator.rank == 0 { try record.write(to: top) } }
    }
    try agreement.together {
      if communicator.rank == 0 { try DurableFiles.createFolder(top) }
    }
    try keep(sweep)
    for rung in sweep.rungs.indices {
      let entrants = sweep.entrants(of: rung)
      let isLast = rung == sweep.rungs.count - 1
      for trial in entrants where sweep.trials[trial].scores.count <= rung {
        guard sweep.trials[trial].state != .diverged else { continue }
        let epochs = isLast ? "" : ", to epoch \(sweep.rungs[rung])"
        progress.say(
          "\(SweepRecord.name(trial: trial)) of \(sweep.trials.count)\(epochs):"
            + " \(Self.words(sweep.trials[trial].settings))")
        try runTrial(
          trial, of: &sweep, until: isLast ? nil : sweep.rungs[rung], in: top, progress, agreement,
          communicator)
        try keep(sweep)
      }
      let next = isLast ? entrants : sweep.entrants(of: rung + 1)
      for trial in entrants where sweep.trials[trial].state == .waiting {
        if isLast { sweep.trials[trial].state = .finished }
        if !next.contains(trial) { sweep.trials[trial].state = .dropped }
      }
      try keep(sweep)
    }
    if communicator.rank == 0 {
      print(sweep.table(columns: Terminal.columnsIfTerminal(STDOUT_FILENO)))
    }
    if sweep.trials.allSatisfy({ $0.state == .diverged }) {
      throw RunFailure(
        .diverged, "every trial diverged; try lower values of optimizer.learning_rate")
    }
    guard let best = sweep.ranking.first, sweep.trials[best].state == .finished else { return }
    progress.say(
      "best: \(SweepRecord.name(trial: best)); test it: momentum-dist evaluate"
        + " \(SweepRecord.folder(top, trial: best)); compare: momentum-dist report \(top)")
  }

  private static func words(_ settings: [SweepRecord.Setting]) -> String {
    settings.map { "\($0.key)=\($0.value)" }.joined(separator: " ")
  }

  /// The configuration of a trial. The base has no error, so one is of a key of the sweep.
  private func configuration(ofTrial assignments: [String]) throws -> TrainingConfiguration {
    do {
      return try TrainingConfiguration(file: config, assignments: settings + assignments)
    } catch {
      throw ConfigurationError(error.description.replacing("--set", with: "--sweep"))
    }
  }

  /// The sweep that the options describe, with the results so far. Every trial's configuration is
  /// checked before the first one trains.
  private func planned(_ top: String) throws -> SweepRecord {
    let axes = try sweeps.map { text throws(RunFailure) in try SweepAxis(text) }
    if let axis = axes.first(where: { $0.key == "early_stopping.metric" }) {
      throw RunFailure(
        .usage, "--sweep \(axis.key): trials are compared by it, so it must be the same for all")
    }
    let base = try TrainingConfiguration(file: config, assignments: settings)
    let trials = try SweepPlan.trials(axes, count: self.trials, seed: base.seed)
    for trial in trials {
      let own = try configuration(ofTrial: trial.map { "\($0.key)=\($0.value)" })
      guard own.dataset.isValidated else {
        throw RunFailure(
          .configuration,
          "a sweep compares trials on validation, but dataset.validation_count is 0; hold out some"
            + " sequences")
      }
    }
    let metric = base.earlyStopping.metric
    var plan = SweepRecord(
      metric: metric.rawValue, isLargerBetter: metric.isLargerBetter,
      rungs: SweepPlan.rungs(epochs: base.epochs, trials: trials.count, factor: halving),
      factor: halving ?? 1, trials: trials)
    // Without --threads, which changes no number.
    plan.base = try TrainingConfiguration(file: config, assignments: assignments).yaml
    if let halving, plan.rungs.count == 1 {
      throw RunFailure(
        .usage,
        "--halving \(halving) compares no trial before its end: \(trials.count) trials of"
          + " \(base.epochs) epochs; give more of either, or leave it out")
    }
    guard let begun = SweepRecord(at: top) else {
      try refuseOverwriting(sweep: top, trials: trials.count)
      return plan
    }
    guard resume != nil else {
      throw RunFailure(
        .usage,
        "\(top): holds a sweep already; add --resume to continue it, or --output FOLDER to start"
          + " another")
    }
    guard begun.isOfSameTrials(as: plan) else {
      throw RunFailure(
        .usage,
        "\(top): holds a sweep of other trials; repeat its command, or start another with --output")
    }
    return begun
  }

  /// Refuses a folder for a new sweep that has a run of its own, trials of another sweep, or a record
  /// that cannot be read.
  private func refuseOverwriting(sweep top: String, trials: Int) throws {
    guard FileStamp(SweepRecord.path(top)) == nil else {
      throw RunFailure(
        .unusableData,
        "\(SweepRecord.path(top)): is not the record of a sweep; name another --output")
    }
    guard resume != "" else {
      throw RunFailure(
        .unusableData, "\(top): holds no sweep to continue; leave out --resume to start one")
    }
    guard !dryRun else { return }
    let folders = [top] + (0..<trials).map { SweepRecord.folder(top, trial: $0) }
    for run in folders.map({ RunFolder($0) }) {
      if let step = run.savedSteps().last { throw Trainer.holdsRun(run, step: step) }
    }
  }

  /// Trains a trial from where it is, and records the result.
  ///
  /// - Parameter epochs: the epoch at which it is compared; nil is its end
  private func runTrial(
    _ trial: Int, of sweep: inout SweepRecord, until epochs: Int?, in top: String,
    _ progress: Training.Progress, _ agreement: Agreement, _ communicator: Communicator
  ) throws {
    let run = RunFolder(SweepRecord.folder(top, trial: trial))
    let assignments = settings + sweep.trials[trial].settings.map { "\($0.key)=\($0.value)" }
    let resolved = try agreement.fromRoot {
      Resolved(
        configuration: try TrainingConfiguration(file: config, assignments: assignments).yaml,
        run: run.path, resume: run.savedSteps().isEmpty ? nil : "", notes: [])
    }
    var configuration = try agreement.together {
      try TrainingConfiguration(
        yaml: resolved.configuration, path: run.configuration, isResolved: true)
    }
    let begun = resolved.resume.map { _ in run.path }
    if let begun {
      configuration = try configuration.resuming(begun, acceptingNewData: false, agreement)
    }
    let session = try TrainingSession(configuration, on: communicator)
    do {
      let trainer = try train(
        session, run, progress, resumingFrom: begun,
        maximumSteps: epochs.map { session.steps(ofEpochs: $0) })
      sweep.trials[trial].scores.append(trainer.best?.loss ?? .greatestFiniteMagnitude)
    } catch let failure as RunFailure where failure.status == .diverged && !failure.blamesHost {
      progress.say("\(SweepRecord.name(trial: trial)): \(failure)")
      sweep.trials[trial].state = .diverged
      return
    } catch let failure as RunFailure where failure.status == .preempted {
      throw RunFailure(
        .preempted,
        "interrupted by a signal at \(SweepRecord.name(trial: trial)), which is saved; continue"
          + " with the same command and --resume")
    } catch let failure as RunFailure {
      throw RunFailure(
        failure.status, "\(SweepRecord.name(trial: trial)): \(failure.message)",
        blamesHost: failure.blamesHost, wrongHost: failure.wrongHost)
    }
    let (step, values) = try Self.measure([.validation], of: run, agreement, communicator)
    (sweep.trials[trial].step, sweep.trials[trial].values) = (step, values)
  }
}
