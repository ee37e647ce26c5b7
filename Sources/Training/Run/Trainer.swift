// SPDX-License-Identifier: Apache-2.0

import Configuration
import Checkpoints
import DataParallel
import Datasets
import Files
import Foundation
import Liveness
import Models
import MPI
import Optimizers
import Reports
import Tensors
import TrainingSteps

/// Trains a model: every rank runs the same loop on its shard of every batch.
public final class Trainer {
  let session: TrainingSession
  let run: RunFolder
  let progress: Progress
  private(set) var optimizer: Optimizer<Float>
  private let validation: Evaluation?
  /// Which steps are audited; nil if none are.
  let audits: AuditPlan?

  var state: TrainingState
  var clock = StepClock()
  /// The copy of the state that the last save, or the one in progress, is written from.
  let snapshot: CheckpointSnapshot
  /// The checkpoint that is being written to the disk.
  var saving: BackgroundSave?
  /// The checkpoint that this run was resumed from.
  var resumedFrom: String?
  /// The newest checkpoint of this run's folder when it was resumed.
  var newestAtResume: Int?
  /// Held on rank 0 while this trains.
  var lock: FolderLock?
  var metrics: MetricsLog?
  var tensorBoard: TensorBoardLog?
  var rankLog: RankLog?
  let started = ContinuousClock().now
  private(set) var stepsThisRun = 0
  /// The steps of this process that were audited.
  var auditedSteps = 0
  /// Why `train` ended; nil before that.
  public private(set) var ending: Ending?
  private var totalSteps = 0
  /// The last step that this process will take.
  var lastStep = 0
  /// The seconds after which this process ends; nil if unlimited.
  var maximumSeconds: Double?
  /// Whether the ranks have agreed that this time is over.
  var timeIsUp = false

  var configuration: TrainingConfiguration { session.configuration }
  var isRoot: Bool { session.communicator.rank == 0 }

  /// A trainer with the state before the first step. It reads no checkpoint yet.
  public init(_ session: TrainingSession, run: RunFolder, progress: Progress) throws(RunFailure) {
    self.session = session
    self.run = run
    self.progress = progress
    state = TrainingState(sums: session.task.objective.sums)
    snapshot = CheckpointSnapshot(
      shard: session.communicator.rank, of: session.communicator.size)
    let layout = session.workload.model.layout
    let settings = session.configuration.optimizer
    optimizer = Optimizer(
      settings.groups(settings.rule, of: layout), layout: layout, slice: session.optimizerSlice)
    audits = try AuditPlan.of(session)
    validation = try session.agreement.together {
      session.configuration.dataset.isValidated
        ? try session.workload.evaluation(of: .validation) : nil
    }
    try session.agreement.together { try settings.checkPatterns(layout) }
    try session.checkStoppingMetric(validation)
    disturbIfAsked()
  }

  /// Why a run ended.
  public enum Ending: Sendable {
    /// Every epoch is done.
    case finished
    /// The validation loss has not fallen for `early_stopping.patience` epochs.
    case stoppedEarly
    /// `maximumSteps` were done.
    case reachedMaximumSteps
    /// `maximumSeconds` have passed.
    case reachedMaximumTime
    /// A signal asked for it; the run is saved.
    case preempted

    /// Its name in a log.
    var word: String {
      switch self {
      case .finished: "finished"
      case .stoppedEarly: "stopped early"
      case .reachedMaximumSteps: "stopped by --max-steps"
      case .reachedMaximumTime: "stopped by --max-time"
      case .preempted: "stopped by a signal"
      }
    }
  }

  /// Trains to the end of the last epoch, or until a signal or a limit stops it. Always saves a
  /// checkpoint at the end.
  ///
  /// - Parameters:
  ///   - maximumSteps: optimizer steps since the first start of the run
  ///   - maximumSeconds: seconds of this process, by the clock of rank 0
  public func train(
    maximumSteps: Int?, maximumSeconds: Double? = nil
  ) throws(RunFailure) -> Ending {
    self.maximumSeconds = maximumSeconds
    do throws(RunFailure) {
      let ending = try runEpochs(maximumSteps: maximumSteps)
      self.ending = ending
      try sayEnd(ending)
      Progress.endLine()
      sayAudits()
      rankLog?.say("\(ending.word) at step \(state.step)")
      return ending
    } catch {
      Progress.endLine()
      rankLog?.say("failed at step \(state.step): \(error)")
      if error.status == .diverged, !error.blamesHost { try? tensorBoard?.end(well: false) }
      leaveSave(after: error)
      throw error
    }
  }

  private func runEpochs(maximumSteps: Int?) throws(RunFailure) -> Ending {
    SignalWatch.start()
    try openRun()
    // A signal may have come while the run started.
    switch try agreeAtBoundary() {
    case .none: break
    case .save: if state.savingStep != state.step { try save() }
    case .saveAndStop:
      try saveAndFinish()
      return .preempted
    }
    totalSteps = state.step + remainingSteps
    lastStep = min(maximumSteps ?? .max, totalSteps)
    sayChance()
    sayAuditOfOneRank()
    showProgress()
    clock.restart()
    Deadline.enter(.computing)
    while !stopsEarly, !timeIsUp, state.epoch < configuration.epochs {
      let steps = session.workload.stream.steps(inEpoch: state.epoch)
      if try takeSteps(of: steps) == .saveAndStop {
        try saveAndFinish()
        return .preempted
      }
      guard state.batch >= steps else { break }  // at a limit
      do throws(RunFailure) {
        try finishEpoch()
      } catch {
        // Stopped while validating: the run continues from the end of this epoch's batches.
        guard error.status == .preempted else { throw error }
        try saveAndFinish()
        return .preempted
      }
    }
    sayLastFigures()
    try saveAndFinish()
    if state.epoch >= configuration.epochs { return .finished }
    if stopsEarly { return .stoppedEarly }
    return timeIsUp ? .reachedMaximumTime : .reachedMaximumSteps
  }

  /// The steps up to the end of the last epoch.
  private var remainingSteps: Int {
    // If the batch size differs from the checkpoint's, epochs have a different number of steps, and
    // the current one may have fewer than are done.
    (state.epoch..<max(configuration.epochs, state.epoch)).reduce(0) { sum, epoch in
      let done = epoch == state.epoch ? state.batch : 0
      return sum + max(session.workload.stream.steps(inEpoch: epoch) - done, 0)
    }
  }

  /// Prints the name of the loss, and the baseline loss.
  private func sayChance() {
    guard let chance = session.workload.stream.chance else { return }
    // The baseline of repeating the preceding frame has its own error in each part.
    let other = validation?.chance.flatMap { $0.value == chance.value ? nil : $0 }
    progress.say(
      "the loss is the \(session.task.lossName); \(chance)"
        + (other.map { ", \(brief($0.value)) in validation" } ?? ""))
  }

  /// Takes the remaining steps of the current epoch, up to a limit or a signal to stop.
  ///
  /// - Parameter steps: the steps of the whole epoch
  /// - Returns: the request of a signal
  private func takeSteps(of steps: Int) throws(RunFailure) -> SignalRequest {
    var request = SignalRequest.none
    while state.batch < steps, state.step < lastStep, !timeIsUp, request != .saveAndStop {
      try takeStep()
      if state.step % configuration.log.everySteps == 0 {
        showReport(try report())
      } else if progress.isDue {
        showProgress()
      }
      let every = configuration.checkpoint.everySteps
      request = try agreeAtBoundary(awaitingData: state.batch < steps)
      let isDue = every > 0 && state.step % every == 0
      if isDue && state.batch < steps || request != .none { try save() }
    }
    return request
  }

  /// Whether early stopping is due. It follows from the validation losses, which checkpoints hold:
  /// a resumed run stops at the same step as an uninterrupted one.
  private var stopsEarly: Bool {
    configuration.earlyStopping.isDue(state.validationLosses)
  }

  /// Whether any step was taken; a resumed run may already have been complete.
  public var hasTrained: Bool { stepsThisRun > 0 }
  /// Optimizer steps since the first start of the run.
  public var step: Int { state.step }

  /// The lowest validation loss so far and its step; nil before the first.
  public var best: (loss: Double, step: Int)? {
    guard state.bestLoss.isFinite, let step = state.bestStep else { return nil }
    return (state.bestLoss, step)
  }

  // MARK: A step

  private func takeStep() throws(RunFailure) {
    Deadline.reach(step: state.step + 1)
    let (workload, step) = (session.workload, session.step)
    let (position, audit) = (nextPosition, audits?.audit(atStep: state.step + 1))
    try clock.measure(.data) { () throws(RunFailure) in
      try session.agreement.together {
        try Failpoint.trainStep.pass(run.path)
        try Failpoint.dataRead.pass(configuration.dataset.file)
        try workload.load(position)
        try loadShard(of: audit, on: audit?.auditor)
        try workload.prefetch(after: position)
      }
    }
    let (second, totals) = try clock.measure(.compute) { () throws(RunFailure) in
      try session.prepareModel(advancing: true)
      return (
        try recompute(audit, on: audit?.auditor),
        step.accumulate(touching: session.touchedRows, holding: audit != nil, runPass)
      )
    }
    let total = try clock.measure(.reduction) { () throws(RunFailure) in
      try compare(audit, second, with: totals)
      do {
        return try step.reduce(totals)
      } catch {
        throw RunFailure(error)
      }
    }
    var norm = 0.0
    let isFinite = try clock.measure(.compute) { () throws(RunFailure) in
      do {
        norm = try step.finishGradients(
          total, clippingTo: configuration.optimizer.clipNorm, workload.model.finishGradients)
      } catch {
        throw RunFailure(.diverged, "step \(state.step + 1): \(error)")
      }
      guard norm.isFinite, total.loss.isFinite else { return false }
      state.gradientNorm = norm
      state.rateFactor = rateFactor * workload.rateFactor
      step.update(optimizer, rateFactor: state.rateFactor)
      return true
    }
    guard isFinite else { throw try divergence(total, norm: norm) }
    try clock.measure(.reduction) { () throws(RunFailure) in
      try session.completeParameters(optimizer.split)
    }
    workload.advance()
    state.step += 1
    state.batch += 1
    state.interval = state.interval + total
    state.epochTotals = state.epochTotals + total
    clock.count(total)
    stepsThisRun += 1
    flipBitIfAsked()
    let every = configuration.replicaCheckSteps
    if every > 0 && state.step % every == 0 { try checkReplicas() }
    try writeHistograms()
  }

  /// The schedule's learning-rate multiplier for the next step.
  private var rateFactor: Double {
    configuration.optimizer.rates.factor(
      .init(
        step: state.step, totalSteps: totalSteps, epoch: state.epoch,
        validationLosses: state.validationLosses))
  }

  /// Changes from SGD to averaged SGD, which starts its count of steps at 0.
  func startAveraging() {
    let (settings, layout) = (configuration.optimizer, session.workload.model.layout)
    optimizer = Optimizer(
      settings.groups(settings.averagingRule, of: layout), layout: layout,
      slice: session.optimizerSlice)
  }

  /// Runs `body` with the averages of an averaging optimizer instead of the parameters.
  private func withAverages<Result>(
    _ body: () throws(RunFailure) -> Result
  ) throws(RunFailure) -> Result {
    guard let average = optimizer.evaluatedSlot else { return try body() }
    let own = session.parameters.flat.copy()
    optimizer.copy(slot: average, to: session.parameters)
    defer { session.parameters.flat.copy(from: own) }
    try session.completeParameters(optimizer.split)
    return try body()
  }

  /// Validates, reports and saves at the end of an epoch.
  ///
  /// - Throws: a failure of status `preempted`, with nothing changed, if a signal asks to stop
  ///   while validating
  private func finishEpoch() throws(RunFailure) {
    var isBest = false
    var mustSave = false
    // Every epoch has a record of its training, even if it is short.
    if state.interval.elements > 0 { _ = try report(isInterval: false) }
    if let validation {
      let (before, mark) = (ContinuousClock().now, clock.mark)
      let totals = try withAverages { () throws(RunFailure) in
        try session.evaluate(validation) { () throws(RunFailure) in
          switch try agreeAtBoundary() {
          case .saveAndStop: throw RunFailure(.preempted, "stopped while validating")
          case .save: mustSave = true
          case .none: break
          }
        }
      }
      // This precedes any record of the step, so the last checkpoint has only finite numbers.
      guard totals.meanLoss.isFinite else {
        throw RunFailure(
          .diverged,
          "epoch \(state.epoch + 1): the validation loss is \(totals.meanLoss); \(divergenceCure)")
      }
      state.epoch += 1
      let seconds = (ContinuousClock().now - before).seconds
      var record = MetricsRecord(step: state.step, epoch: state.epoch, split: "validation")
      session.add(totals, to: &record)
      if let chance = validation.chance { record.add("chance_loss", chance.value) }
      session.addSpeed(totals, seconds: seconds, to: &record)
      record.add("seconds", runSeconds)
      try write(record)
      rankLog?.say("epoch \(state.epoch) validated in \(brief(seconds)) s")
      let score = try session.score(totals, validation)
      sayEpoch(validation: totals, isBest: score < state.bestLoss)
      state.validationLosses.append(score)
      let window = configuration.optimizer.averagingWindow
      if window > 0, optimizer.rule.canStartAveraging,
        shouldStartAveraging(validationLosses: state.validationLosses, window: window)
      {
        progress.say(
          "epoch \(state.epoch)  the validation loss has stopped falling: averaging starts")
        startAveraging()
      }
      if score < state.bestLoss {
        state.bestLoss = score
        state.bestStep = state.step
        isBest = true
      }
      clock.leaveOut(since: mark)
    } else {
      state.epoch += 1
      sayEpoch(validation: nil, isBest: false)
    }
    state.batch = 0
    state.epochTotals = Totals()
    state.savingStep = nil  // a checkpoint already saved at this step predates the epoch's end
    let every = configuration.checkpoint.everySteps
    if isBest || mustSave || every == 0 || state.step % every == 0 { try save() }
  }
}
