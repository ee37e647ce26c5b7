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
      if ranksPerTrial != nil {
        throw ValidationError("--ranks-per-trial trains trials side by side; add --sweep.")
      }
      return
    }
    if let trials, trials < 1 {
      throw ValidationError("--trials is \(trials); expected a number of 1 or more.")
    }
    if let halving, halving < 2 {
      throw ValidationError("--halving is \(halving); expected a number of 2 or more.")
    }
    if let ranksPerTrial, ranksPerTrial < 1 {
      throw ValidationError(
        "--ranks-per-trial is \(ranksPerTrial); expected a number of 1 or more.")
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

  /// Trains the trials of a sweep and compares them on validation. They train one after the other
  /// on all ranks, or side by side on groups of ranks.
  func trainSweep() throws {
    let communicator = try Launch.communicator()
    let progress = Progress(isActive: communicator.rank == 0)
    let agreement = Agreement(communicator)
    let top = output ?? defaultRun
    let ranksEach = ranksPerTrial ?? communicator.size
    var sweep = try agreement.fromRoot { try planned(top) }
    if dryRun {
      guard communicator.rank == 0 else { return }
      for (index, trial) in sweep.trials.enumerated() {
        print("\(SweepRecord.name(trial: index))  \(Self.words(trial.settings))")
      }
      return
    }
    // A dry run may have fewer ranks than the run.
    guard communicator.size % ranksEach == 0 else {
      throw RunFailure(
        .usage,
        "--ranks-per-trial \(ranksEach) does not divide the \(communicator.size)"
          + " \(communicator.size == 1 ? "rank" : "ranks"); give a number that does, or start"
          + " another number of ranks")
    }
    Launch.notes = RunFolder(top)
    let keep = { (record: SweepRecord) in
      try agreement.together { if communicator.rank == 0 { try record.write(to: top) } }
    }
    try agreement.together {
      if communicator.rank == 0 { try DurableFiles.createFolder(top) }
    }
    try keep(sweep)
    let threads = try agreement.fromRoot { try configuration(ofTrial: []).threads }
    let groups = try TrialGroups(
      of: communicator, ranksEach: ranksEach, threads: threads, abandon: Launch.endAlone)
    for warning in groups.cores?.warnings ?? [] { progress.say("warning: \(warning)") }
    for rung in sweep.rungs.indices {
      let entrants = sweep.entrants(of: rung)
      let isLast = rung == sweep.rungs.count - 1
      let trials = entrants.filter {
        sweep.trials[$0].scores.count <= rung && sweep.trials[$0].state != .diverged
      }
      let begun = sweep
      try groups.train(
        trials,
        configuration: { try configuration(ofTrial: begun.assignments(of: $0)).yaml },
        record: { trial, result in
          sweep.trials[trial].take(result)
          try sweep.write(to: top)
        }
      ) { (trial, configuration) throws(RunFailure) in
        try runTrial(
          trial, of: begun, configuration, until: isLast ? nil : begun.rungs[rung], in: top, groups)
      }
      sweep = try agreement.fromRoot { sweep }
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

  /// Trains a trial, from its newest checkpoint if it has one, on a group of ranks.
  ///
  /// - Parameters:
  ///   - yaml: its configuration
  ///   - epochs: the epoch at which it is compared; nil is its end
  private func runTrial(
    _ trial: Int, of sweep: SweepRecord, _ yaml: String, until epochs: Int?, in top: String,
    _ groups: TrialGroups
  ) throws(RunFailure) -> TrialResult {
    let (name, communicator) = (SweepRecord.name(trial: trial), groups.communicator)
    let progress = groups.progress(ofTrial: name)
    let agreement = Agreement(communicator)
    let run = RunFolder(SweepRecord.folder(top, trial: trial))
    if communicator.rank == 0 {
      let rung = epochs.map { ", to epoch \($0)" } ?? ""
      Progress(isActive: true).say(
        "\(name) of \(sweep.trials.count)\(rung): \(Self.words(sweep.trials[trial].settings))")
    }
    do {
      let begun: String? = try agreement.fromRoot { run.savedSteps().isEmpty ? nil : run.path }
      var configuration = try agreement.together {
        try TrainingConfiguration(yaml: yaml, path: run.configuration, isResolved: true)
      }
      if let begun {
        configuration = try configuration.resuming(begun, acceptingNewData: false, agreement)
      }
      let session = try TrainingSession(configuration, on: communicator, within: groups.cores)
      session.requestBetweenSteps = groups.request
      let trainer = try train(
        session, run, progress, resumingFrom: begun,
        maximumSteps: epochs.map { session.steps(ofEpochs: $0) })
      let (step, values) = try Self.measure(
        [.validation], of: run, agreement, communicator, within: groups.cores)
      return TrialResult(
        score: trainer.best?.loss ?? .greatestFiniteMagnitude, step: step, values: values)
    } catch let failure as RunFailure where failure.status == .diverged && !failure.blamesHost {
      progress.say(groups.count == 1 ? "\(name): \(failure)" : "\(failure)")
      return TrialResult(score: nil, step: nil, values: [:])
    } catch let failure as RunFailure {
      throw RunFailure(
        failure.status, "\(name): \(failure.message)", blamesHost: failure.blamesHost,
        wrongHost: failure.wrongHost)
    } catch {
      throw RunFailure(error)
    }
  }
}

extension SweepRecord {
  /// The settings of a trial, as `key.path=value`.
  fileprivate func assignments(of trial: Int) -> [String] {
    trials[trial].settings.map { "\($0.key)=\($0.value)" }
  }
}

extension SweepRecord.Trial {
  /// Adds the result of a rung.
  fileprivate mutating func take(_ result: TrialResult) {
    guard let score = result.score else {
      state = .diverged
      return
    }
    scores.append(score)
    (step, values) = (result.step, result.values)
  }
}
