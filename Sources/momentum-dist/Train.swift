// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Checkpoints
import Configuration
import Files
import Foundation
import Liveness
import MPI
import Training

struct Train: DistributedCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train a model.",
    discussion: """
      Start it under mpirun to train on several ranks: each takes its shard of every batch. With \
      no --config it trains on the adding problem, which it generates.

      The run's folder gets config.yaml, metrics.jsonl, TensorBoard's event files, logs/ of each \
      rank and checkpoints/. SIGUSR1 saves and continues; SIGTERM, SIGUSR2 or Ctrl-C saves and \
      ends with status 75. Progress goes to standard error.
      """)

  @Option(help: ArgumentHelp("A YAML file; see configs/.", valueName: "file"))
  var config: String?

  @Option(
    name: .customLong("set"), parsing: .singleValue,
    help: ArgumentHelp(
      "Set a key of the configuration, as in --set optimizer.learning_rate=0.01.",
      valueName: "key.path=value"))
  var assignments: [String] = []

  @Option(
    help: ArgumentHelp(
      "The run's folder (default: runs/ and the name of the configuration).", valueName: "run"))
  var output: String?

  @Option(
    defaultAsFlag: "",
    help: ArgumentHelp(
      "Continue from the newest checkpoint of the run, or from the one named here; auto starts the "
        + "run if it has none.", valueName: "path|auto"))
  var resume: String?

  @Option(
    help: ArgumentHelp(
      "Start from the parameters of this file (from export) that match in name and shape.",
      valueName: "file.safetensors"))
  var initial: String?

  @Flag(
    help: ArgumentHelp(
      "With --resume: continue on other data than the run was trained on; a text must use "
        + "the run's vocabulary."))
  var newData = false

  @Option(
    help: ArgumentHelp(
      "Threads of each rank; 0 uses one per core. Sets the key threads.", valueName: "n"))
  var threads: Int?

  @Option(
    help: ArgumentHelp(
      "In this share of the steps (0.01 or 1%) a second rank computes one shard again, and all bits "
        + "are compared; a wrong result ends the run with status 70. Sets the key audit.",
      valueName: "share"),
    transform: { try StepShare($0) })
  var audit: StepShare?

  @Option(help: ArgumentHelp("Stop after N steps of the run, and save.", valueName: "n"))
  var maxSteps: Int?

  @Option(
    help: ArgumentHelp(
      "Stop training after this time, and save: 90s, 45m, 1h30m, 2d. The exit status is 0.",
      valueName: "time"),
    transform: { try TimeLimit($0) })
  var maxTime: TimeLimit?

  @Flag(
    help: ArgumentHelp(
      "When the run has ended, evaluate its best checkpoint on the test part."))
  var test = false

  @Option(
    help: ArgumentHelp(
      "Train N seeds in turn, in seed-1, seed-2, ... of the run's folder, and report mean "
        + "and deviation.", valueName: "n"))
  var seeds: Int?

  @Option(
    name: .customLong("sweep"), parsing: .singleValue,
    help: ArgumentHelp(
      "Try several values of a key, each in trial-001, trial-002, ... of the run's folder: "
        + "key=a,b,c or key=low..high or key=low..high:log. May be repeated.",
      valueName: "key=values"))
  var sweeps: [String] = []

  @Option(
    help: ArgumentHelp(
      "With --sweep: draw N trials at random instead of every combination.",
      valueName: "n"))
  var trials: Int?

  @Option(
    help: ArgumentHelp(
      "With --sweep: train trials side by side, each on N ranks (default: one after the other, on "
        + "all ranks).", valueName: "n"))
  var ranksPerTrial: Int?

  @Option(
    help: ArgumentHelp(
      "With --sweep: continue only the best 1/n of the trials, each time for n times the epochs.",
      valueName: "n"))
  var halving: Int?

  @Option(
    help: ArgumentHelp(
      "Train and validate on the first N training sequences only, to see that the model can learn "
        + "them. Sets the key dataset.overfit.", valueName: "n"))
  var overfit: Int?

  @Flag(
    help: ArgumentHelp(
      "Try all parts and keep nothing: a few steps, a validation batch, a checkpoint written and "
        + "read back, a test batch."))
  var fastDevRun = false

  @Flag(help: "Check configuration and data, print the resolved configuration, and exit.")
  var dryRun = false

  @Flag(
    help: ArgumentHelp(
      "Print every key with its meaning and default, and exit; with --config or --set, the keys "
        + "that such a run uses."))
  var listKeys = false

  func validate() throws {
    if let maxSteps, maxSteps < 0 {
      throw ValidationError("--max-steps is \(maxSteps); expected a number that is not negative.")
    }
    if let threads, threads < 0 {
      throw ValidationError("--threads is \(threads); expected a number that is not negative.")
    }
    let paths = [("output", output), ("config", config), ("initial", initial)]
    for (name, path) in paths where path?.isEmpty == true {
      throw ValidationError("--\(name) is empty; name a path, or leave it out.")
    }
    for (name, path) in paths + [("resume", resume)] {
      if path == "~" || path?.hasPrefix("~/") == true {
        throw ValidationError(
          "--\(name) begins with ~, which the shell did not expand; leave out the quotes, or write"
            + " the path of your home.")
      }
    }
    if output == nil, resumedRun == nil,
      DurableFiles.lastName(of: defaultRun).hasPrefix(".")
    {
      throw ValidationError(
        "--config \(config ?? "") gives the run no name; name its folder with --output.")
    }
    if let seeds, seeds < 1 {
      throw ValidationError("--seeds is \(seeds); expected a number of 1 or more.")
    }
    if initial != nil, resume != nil, resume != Self.automatic {
      throw ValidationError("--initial starts a run and --resume continues one; leave out one.")
    }
    if newData, resume == nil {
      throw ValidationError("--new-data applies only to a resumed run; add --resume.")
    }
    if seeds != nil, dryRun {
      throw ValidationError("--dry-run checks one configuration; leave out --seeds.")
    }
    if let overfit, overfit < 1 {
      throw ValidationError("--overfit is \(overfit); expected a number of 1 or more.")
    }
    try validateSweep()
    try validateFastDevRun()
    if seeds != nil, maxTime != nil {
      throw ValidationError("--max-time ends one run; leave out --seeds, or the limit.")
    }
    if seeds != nil, test {
      throw ValidationError("--seeds measures the test part of every seed; leave out --test.")
    }
  }

  /// The keys set by --set, and by the options that stand for keys.
  var settings: [String] {
    assignments + (threads.map { ["threads=\($0)"] } ?? [])
      + (overfit.map { ["dataset.overfit=\($0)"] } ?? [])
      + (audit.map { ["audit=\($0.value)"] } ?? [])
  }

  func run() throws {
    if listKeys { return try printKeys() }
    SignalWatch.start()
    if fastDevRun, !dryRun { return try tryAllParts() }
    if !sweeps.isEmpty { return try trainSweep() }
    if let seeds { return try trainSeeds(seeds) }
    let communicator = try Launch.communicator()
    let progress = Progress(isActive: communicator.rank == 0)
    let agreement = Agreement(communicator)
    // Other hosts may have different files, or none: the run uses rank 0's.
    let resolved = try agreement.fromRoot {
      var command = self
      try command.decideResume(output ?? defaultRun) {
        !RunFolder(output ?? defaultRun).savedSteps().isEmpty
      }
      let (configuration, run, notes) = try command.resolve()
      return Resolved(
        configuration: configuration.yaml, run: run.path, resume: command.resume, notes: notes)
    }
    for note in resolved.notes { progress.say(note) }
    let run = RunFolder(resolved.run)
    Launch.notes = run
    var configuration = try agreement.together {
      try TrainingConfiguration(
        yaml: resolved.configuration, path: run.configuration, isResolved: true)
    }
    let checkpoint = resolved.resume.map { $0.isEmpty ? run.path : $0 }
    if let checkpoint {
      configuration = try configuration.resuming(checkpoint, acceptingNewData: newData, agreement)
    }
    let session = try TrainingSession(configuration, on: communicator)
    if dryRun {
      progress.say(session.summary)
      if communicator.rank == 0 { print(session.configuration.yaml, terminator: "") }
      return
    }
    let trainer = try train(session, run, progress, resumingFrom: checkpoint)
    guard test else { return }
    guard trainer.ending != .reachedMaximumSteps, trainer.ending != .reachedMaximumTime else {
      return progress.say("note: --test waits for the end of the run")
    }
    try Evaluate.measure(run.path, on: communicator)
  }

  /// Trains one run to its end.
  ///
  /// - Parameter maximumSteps: the last step of the run; nil is that of --max-steps, if any
  /// - Returns: the trainer at the end
  /// - Throws: a failure of status `preempted` when a signal ended it
  @discardableResult
  func train(
    _ session: TrainingSession, _ run: RunFolder, _ progress: Training.Progress,
    resumingFrom path: String?, maximumSteps: Int? = nil
  ) throws -> Trainer {
    let trainer = try Trainer(session, run: run, progress: progress)
    if let path {
      for note in try session.refuseChangedData() { progress.say(note) }
      try trainer.resume(from: path)
    }
    // Before the run's folder is made: a file that does not fit must not leave one behind.
    let starts = path == nil ? try initial.map { try session.startParameters(from: $0) } : nil
    try trainer.createRun()
    for note in starts ?? [] { progress.say("note: \(note)") }
    progress.say(session.summary)
    for warning in session.warnings { progress.say("warning: \(warning)") }
    for note in session.workload.stream.notes { progress.say("note: \(note)") }
    let started = ContinuousClock().now
    let ending = try trainer.train(
      maximumSteps: maximumSteps ?? maxSteps, maximumSeconds: maxTime?.seconds)
    let seconds = ContinuousClock().now - started
    let took = Progress.duration(Double(seconds.components.seconds))
    if !trainer.hasTrained, path != nil, [.finished, .reachedMaximumSteps].contains(ending) {
      let cure = sweeps.isEmpty ? ": raise epochs or --max-steps to continue" : ""
      progress.say("already at its end, step \(trainer.step)\(cure)")
      return trainer
    }
    // With these options the test results follow anyway.
    let followsByItself = test || seeds != nil || !sweeps.isEmpty
    let next = followsByItself ? "" : "; test it: momentum-dist evaluate \(run.path)"
    let best = trainer.best.map { "; validation was best at step \($0.step)" } ?? ""
    if let summary = trainer.overfitSummary { progress.say(summary) }
    switch ending {
    case .finished:
      progress.say("finished in \(took)\(best)\(next)")
    case .stoppedEarly:
      progress.say("stopped early in \(took)\(best)\(next)")
    case .reachedMaximumSteps where maximumSteps != nil:
      progress.say("compared at step \(trainer.step) after \(took)")
    case .reachedMaximumSteps:
      progress.say("stopped at --max-steps after \(took); saved in \(run.checkpoints)/latest")
    case .reachedMaximumTime:
      progress.say(
        "stopped at --max-time at step \(trainer.step); saved in \(run.checkpoints)/latest,"
          + " continue with --resume --output \(run.path)")
    case .preempted:
      throw RunFailure(
        .preempted,
        "interrupted by a signal; saved in \(run.checkpoints)/latest, continue with"
          + " --resume --output \(run.path)")
    }
    return trainer
  }

  /// Prints every key or, if a task, a cell or an optimizer is chosen, those that belong to it.
  private func printKeys() throws {
    let keys: [ConfigurationKey]
    do {
      keys = try TrainingConfiguration.keys(file: config, assignments: settings)
    } catch {
      throw RunFailure(error)
    }
    for key in keys {
      print("\(key.path) = \(key.value)\n    \(key.help) (\(key.kind))")
    }
  }
}
