// SPDX-License-Identifier: Apache-2.0

import Configuration
import BLAS
import Checkpoints
import DataParallel
import Files
import Foundation
import Kernels
import Liveness
import Models
import MPI
import Optimizers
import Tensors

extension Trainer {
  /// Creates the run's folder, or prepares it to continue from the restored checkpoint, and writes
  /// the resolved configuration.
  public func createRun() throws(RunFailure) {
    // For rank 0, copying a large checkpoint takes as long as saving one.
    let claim = try Deadline.during(.saving) { () throws(RunFailure) in try claimFolder() }
    if !claim.hasCheckpoint { state.savingStep = nil }
    for note in FileSystemGap.takeNotes() { progress.say(note) }
    for name in claim.leftBehind {
      progress.say("note: a later checkpoint is left behind as \(run.checkpoints)/\(name)")
    }
  }

  /// The contents of the run's folder when it was claimed.
  private struct FolderClaim: Codable {
    /// Whether it has a checkpoint of the step to start from.
    var hasCheckpoint: Bool
    /// The new names of later checkpoints, which no longer count.
    var leftBehind: [String]
  }

  /// Locks the run's folder and writes the files that describe the run. Only rank 0 does this.
  private func claimFolder() throws(RunFailure) -> FolderClaim {
    try session.agreement.fromRoot {
      try DurableFiles.createFolder(run.checkpoints)
      lock = try FolderLock(run.checkpoints)
      guard lock != nil else {
        throw RunFailure(
          .usage,
          "\(run.path): another process is training in it; wait until it ends, or name another"
            + " folder with --output")
      }
      try refuseToReplace()
      try DurableFiles.write(configuration.yaml, to: run.configuration)
      try DurableFiles.write(try session.identity.json + "\n", to: run.data)
      try session.workload.stream.describe(in: run)
      try run.tidy()
      for note in [run.lossNote, run.hostNote] where FileStamp(note)?.isRegular == true {
        DurableFiles.remove(note)
      }
      // This run was resumed from another, and has no checkpoint yet.
      takeCheckpointsAlong()
      guard let saved = state.savedStep, run.savedSteps().contains(saved) else {
        return FolderClaim(hasCheckpoint: false, leftBehind: [])
      }
      // After a kill between a checkpoint and its link, or a return to an older checkpoint,
      // `latest` does not point to the checkpoint that the run continues from.
      try run.setLatest(step: saved)
      return FolderClaim(
        hasCheckpoint: true, leftBehind: try run.passOver(after: saved))
    }
  }

  /// Saves a checkpoint of the current step: every rank writes a shard, rank 0 the manifest.
  ///
  /// With `checkpoint.background` this returns when the state is copied; `advanceSave()` finishes
  /// the save at later step boundaries. Only one save is in progress at a time: if the disk is too
  /// slow, training waits for it.
  ///
  /// - Parameter folder: another run's folder to save in; nil is this run's own
  func save(in folder: RunFolder? = nil) throws(RunFailure) {
    let run = folder ?? run
    try clock.measure(.checkpoint) { () throws(RunFailure) in
      try finishSave()
      try refuseInfiniteState()
      if configuration.replicaCheckSteps > 0 { try checkReplicas() }
      snapshot.copy(checkpointTensors() + (try gatherStreams()))
      let save = BackgroundSave(
        to: run.checkpoint(step: state.step), manifest(), of: snapshot, hooks: hooks(in: run))
      try save.start(on: session.agreement)
      saving = save
      state.savingStep = state.step
      if !configuration.checkpoint.background { try finishSave() }
    }
  }

  /// What rank 0 does before and after a save.
  private func hooks(in run: RunFolder) -> BackgroundSave.Hooks {
    let (step, keepLast) = (state.step, configuration.checkpoint.keepLast)
    let records = isRoot && metrics != nil ? self.run.metrics : nil
    return BackgroundSave.Hooks {
      try DurableFiles.createFolder(run.checkpoints)
      try run.tidy()
    } beforeCommit: {
      // This ensures that, after a power cut, the records cover every checkpoint that exists.
      if let records, FileStamp(records) != nil { try DurableFiles.synchronize(records) }
    } after: {
      try run.setLatest(step: step)
      try run.prune(keepingLast: keepLast)
    }
  }

  /// Starts the next stage of the save in progress. All ranks call this when it is idle on all of
  /// them.
  func advanceSave() throws(RunFailure) {
    guard let save = saving else { return }
    do throws(RunFailure) {
      guard try save.advance(on: session.agreement) else { return }
    } catch {
      saving = nil
      throw error
    }
    saving = nil
    state.savedStep = save.step
    rankLog?.say("the checkpoint of step \(save.step) is complete")
    for note in FileSystemGap.takeNotes() { progress.say(note) }
  }

  /// Waits until the save in progress, if any, is complete.
  func finishSave() throws(RunFailure) {
    try Deadline.during(.saving) { () throws(RunFailure) in
      while let save = saving {
        save.wait()
        try advanceSave()
      }
    }
  }

  /// Saves the current state unless a save has it already, and waits until it is complete.
  func saveAndFinish() throws(RunFailure) {
    if state.savingStep != state.step { try save() }
    try clock.measure(.checkpoint) { () throws(RunFailure) in try finishSave() }
  }

  /// Ends the save in progress when the run has failed.
  ///
  /// - Parameter failure: the failure of all ranks; after a lost peer the ranks can no longer agree
  ///   on anything, and the process ends at once
  func leaveSave(after failure: RunFailure) {
    if failure.status != .peerLost { try? finishSave() }
  }

  /// Every tensor that a checkpoint holds, in order.
  private func checkpointTensors() -> [LiveTensor] {
    func named(_ group: String, _ buffer: ParameterBuffer<Float>) -> [LiveTensor] {
      buffer.layout.entries.map { LiveTensor(path: "\(group)/\($0.name)", tensor: buffer[$0]) }
    }
    let buffers = session.workload.model.buffers.map {
      LiveTensor(path: "buffers/\($0.name)", tensor: $0.tensor)
    }
    return named("parameters", session.parameters) + buffers
      + optimizer.slots.flatMap { optimizerTensors($0.name, $0.buffer) }
  }

  /// This rank's part of a state buffer: if it is split, the rows of its own shard file.
  private func optimizerTensors(
    _ slot: String, _ buffer: ParameterBuffer<Float>
  ) -> [LiveTensor] {
    zip(optimizer.layout.entries, buffer.layout.entries).map { whole, own in
      LiveTensor(
        path: "optimizer/\(slot)/\(whole.name)", tensor: buffer[own],
        rows: optimizer.slice.rows(of: whole.shape), of: whole.shape)
    }
  }

  /// The manifest of the current state, without the fields that only the writing threads know.
  private func manifest() -> CheckpointManifest {
    CheckpointManifest(
      step: state.step, epoch: state.epoch, batch: state.batch,
      parameterCount: session.workload.model.trainedCount,
      optimizer: .init(name: optimizer.rule.name, stepCount: optimizer.stepCount),
      progress: state.progress(seconds: runSeconds), tensors: snapshot.entries, files: [],
      configuration: configuration.yaml, machine: session.machine, data: session.identity)
  }

  /// Resumes from the newest complete checkpoint at `path`: a run's folder or a checkpoint's.
  public func resume(from path: String) throws(RunFailure) {
    newestAtResume = run.savedSteps().last
    try session.agreement.newestUsable(at: path, saying: progress, load)
  }

  private func load(_ folder: String) throws(RunFailure) {
    let reader = try session.agreement.together { try CheckpointReader(folder) }
    let manifest = reader.manifest
    try session.agreement.together {
      try session.refuseOtherData(than: manifest, folder)
      let notes = try configuration.refuseAnotherModel(
        than: reader, hasSameData: session.hasData(of: manifest))
      for note in notes { progress.say(note) }
    }
    noteOtherMachine(manifest.machine)
    let tensors = try session.agreement.together {
      // Each rank checks and reads all files for itself, see `CheckpointReader`.
      try reader.checkedTensors(leavingOut: "optimizer/")
    }
    let averaging = configuration.optimizer.averagingRule.name
    if manifest.optimizer.name == averaging, optimizer.rule.name != averaging {
      startAveraging()
    }
    try session.agreement.together {
      try session.restore(tensors, folder: folder)
      for (name, slot) in optimizer.slots {
        // One at a time: if the state is split over the ranks, no rank has memory for all of it.
        let group = "optimizer/\(name)"
        try slot.restore(
          reader.tensors(under: "\(group)/"), group: group, folder: folder,
          slice: optimizer.slice, of: optimizer.layout)
      }
      try restoreStreams(tensors, batch: manifest.batch, folder: folder)
    }
    optimizer.stepCount = manifest.optimizer.stepCount
    resumedFrom = folder
    state.restore(
      step: manifest.step, epoch: manifest.epoch, batch: manifest.batch,
      progress: manifest.progress)
    forgetOtherValidation(than: manifest)
    progress.say("resuming from \(folder): step \(manifest.step), epoch \(manifest.epoch + 1)")
  }

  /// Notes why bits may differ from those of the machine that wrote the checkpoint.
  private func noteOtherMachine(_ there: CheckpointManifest.Machine) {
    let here = session.machine
    let kernels = KernelBackend.all.filter { [here.kernels, there.kernels].contains($0.name) }
    // Kernels with the same arithmetic give the same bits.
    let areAlike = kernels.count == 2 && kernels[0].arithmetic == kernels[1].arithmetic
    for (what, mine, theirs) in [
      ("precision", here.precision, there.precision),
      ("kernels", here.kernels, areAlike ? here.kernels : there.kernels),
      ("BLAS core", here.blasCore, there.blasCore),
    ] where mine != theirs {
      progress.say(
        "note: the checkpoint was made with \(what) \(theirs), here it is \(mine); bits may differ")
    }
  }
}

extension TrainingSession {
  /// The rank, the machine it runs on, and what it does.
  var placeSummary: String {
    let shards = plan.shards(of: communicator.rank)
    return "rank \(communicator.rank) of \(communicator.size), process"
      + " \(ProcessInfo.processInfo.processIdentifier) on \(ProcessInfo.processInfo.hostName);"
      + " virtual shards \(shards.lowerBound) to \(shards.upperBound - 1), \(machine.kernels)"
      + " kernels, OpenBLAS for \(machine.blasCore), overlap \(reduction.overlaps ? "on" : "off")"
  }

  /// What the bits depend on in addition to the configuration.
  var machine: CheckpointManifest.Machine {
    CheckpointManifest.Machine(
      precision: Float.precisionName, kernels: KernelBackend.current.name,
      blasCore: OpenBLAS.coreName, virtualShards: configuration.shards,
      ranks: communicator.size, program: "momentum-dist \(programVersion)")
  }
}
