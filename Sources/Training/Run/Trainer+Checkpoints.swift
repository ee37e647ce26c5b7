import BLAS
import Checkpoints
import Files
import Foundation
import Kernels
import Models
import MPI
import Optimizers
import Tensors

extension Trainer {
  /// Makes the run's folder and writes its resolved configuration.
  public func createRun() throws(RunFailure) {
    try session.agreement.together {
      guard isRoot else { return }
      try DurableFiles.createFolder(run.checkpoints)
      try DurableFiles.write(configuration.yaml, to: run.configuration)
      try run.tidy()
      // A kill between a checkpoint and its link, or a fall back to an older checkpoint, leaves
      // `latest` at another than the run goes on from.
      if run.savedSteps().contains(state.savedStep) { try run.setLatest(step: state.savedStep) }
    }
  }

  /// Saves a checkpoint of the step at hand: every rank writes a shard, rank 0 the manifest.
  func save() throws(RunFailure) {
    try clock.measure(.checkpoint) { () throws(RunFailure) in
      if configuration.replicaCheckSteps > 0 { try checkReplicas() }
      let communicator = session.communicator
      let writer = CheckpointWriter(
        folder: run.checkpoint(step: state.step), shards: communicator.size)
      let tensors = checkpointTensors()
      do throws(RunFailure) {
        try session.agreement.together {
          guard isRoot else { return }
          try run.tidy()
          try writer.begin(tensors)
        }
        let entry = try session.agreement.together {
          try writer.writeShard(communicator.rank, tensors)
        }
        let entries = try session.agreement.together {
          try communicator.gather(Array(JSONEncoder().encode(entry)), to: 0)
        }
        try session.agreement.together {
          guard isRoot, let entries else { return }
          let files = try entries.map {
            try JSONDecoder().decode(CheckpointManifest.FileEntry.self, from: Data($0))
          }
          try writer.commit(manifest(tensors, files: files))
          try run.setLatest(step: state.step)
          try run.prune(
            keepingLast: configuration.checkpoint.keepLast, upTo: state.step,
            alwaysKeeping: [state.bestStep])
        }
      } catch {
        if isRoot { writer.abandon() }
        throw error
      }
      state.savedStep = state.step
    }
  }

  private func checkpointTensors() -> [CheckpointTensor] {
    func named(_ group: String, _ buffer: ParameterBuffer<Float>) -> [CheckpointTensor] {
      buffer.layout.entries.map { entry in
        CheckpointTensor(
          path: "\(group)/\(entry.name)", shape: entry.shape, values: buffer[entry].array)
      }
    }
    let buffers = session.model.buffers.map {
      CheckpointTensor(
        path: "buffers/\($0.name)", shape: $0.tensor.shape, values: $0.tensor.array)
    }
    return named("parameters", session.parameters) + buffers
      + optimizer.slots.flatMap { named("optimizer/\($0.name)", $0.buffer) }
  }

  private func manifest(
    _ tensors: [CheckpointTensor], files: [CheckpointManifest.FileEntry]
  ) -> CheckpointManifest {
    CheckpointManifest(
      step: state.step, epoch: state.epoch, batch: state.batch,
      parameterCount: session.model.trainedCount, parametersSHA256: session.parametersSHA256,
      optimizer: .init(name: optimizer.rule.name, stepCount: optimizer.stepCount),
      progress: state.progress,
      tensors: tensors.map { .init(path: $0.path, shape: $0.shape) }, files: files,
      configuration: configuration.yaml, machine: session.machine)
  }

  /// Goes on from the newest checkpoint at `path` that is whole: a run's folder or a checkpoint's.
  public func resume(from path: String) throws(RunFailure) {
    let candidates = RunFolder.candidates(at: path)
    guard !candidates.isEmpty else { throw RunFailure(RunFolder.noCheckpoint(at: path)) }
    for (index, candidate) in candidates.enumerated() {
      do throws(RunFailure) {
        try load(candidate)
        return
      } catch {
        guard error.status == .unusableData, index + 1 < candidates.count else { throw error }
        progress.say("\(error); trying \(candidates[index + 1])")
      }
    }
  }

  private func load(_ folder: String) throws(RunFailure) {
    let reader = try session.agreement.together { try CheckpointReader(folder) }
    let manifest = reader.manifest
    try session.agreement.together {
      for note in try configuration.refuseAnotherModel(than: reader) { progress.say(note) }
    }
    noteOtherMachine(manifest.machine)
    let tensors = try session.agreement.together {
      // Each rank checks and reads all files for itself, see `CheckpointReader`.
      try reader.checkedTensors()
    }
    if manifest.optimizer.name == ASGD().name, optimizer.rule.name != ASGD().name {
      startAveraging()
    }
    try session.agreement.together {
      try session.restore(tensors, folder: folder)
      for (name, slot) in optimizer.slots {
        try slot.restore(tensors, group: "optimizer/\(name)", folder: folder)
      }
    }
    optimizer.stepCount = manifest.optimizer.stepCount
    state.restore(
      step: manifest.step, epoch: manifest.epoch, batch: manifest.batch,
      progress: manifest.progress)
    progress.say("resuming from \(folder): step \(manifest.step), epoch \(manifest.epoch + 1)")
  }

  /// Says where bits may differ from those of the machine that wrote the checkpoint.
  private func noteOtherMachine(_ there: CheckpointManifest.Machine) {
    let here = session.machine
    for (what, mine, theirs) in [
      ("precision", here.precision, there.precision), ("kernels", here.kernels, there.kernels),
      ("BLAS core", here.blasCore, there.blasCore),
    ] where mine != theirs {
      progress.say(
        "note: the checkpoint was made with \(what) \(theirs), here it is \(mine); bits may differ")
    }
  }
}

extension TrainingSession {
  /// The checksum of the parameters as they are, the buffers of orthogonal matrices included.
  public var parametersSHA256: String {
    ParametersDigest.sha256(
      model.layout.entries.map {
        CheckpointTensor(path: $0.name, shape: $0.shape, values: parameters[$0].array)
      }
        + model.buffers.map {
          CheckpointTensor(path: $0.name, shape: $0.tensor.shape, values: $0.tensor.array)
        })
  }

  /// What the bits depend on besides the configuration.
  var machine: CheckpointManifest.Machine {
    CheckpointManifest.Machine(
      precision: Float.precisionName, kernels: KernelVariant.current.rawValue,
      blasCore: OpenBLAS.coreName, virtualShards: configuration.shards,
      ranks: communicator.size, program: "momentum-dist \(programVersion)")
  }
}
