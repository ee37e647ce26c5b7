import BLAS
import Checkpoints
import Models
import MPI
import Optimizers
import Tensors

/// Which checkpoint of a run is meant.
public enum CheckpointChoice: String, Sendable, CaseIterable {
  /// The newest one that is whole.
  case latest
  /// The one with the lowest validation loss, or the newest where nothing was validated.
  case best
}

extension TrainingSession {
  /// A session with the parameters of a checkpoint, under the configuration it was made with.
  ///
  /// - Parameters:
  ///   - path: a run's folder, of which the newest checkpoint that is whole is taken, or a
  ///     checkpoint's
  ///   - choice: which checkpoint of a run
  ///   - assignments: keys to set otherwise, as `key.path=value`
  /// - Returns: the session, its checkpoint, and what that is: the best only where it was asked for
  ///   and something was validated
  public static func restore(
    from path: String, choice: CheckpointChoice = .latest, assignments: [String],
    on communicator: Communicator
  ) throws(RunFailure) -> (
    session: TrainingSession, checkpoint: CheckpointReader, choice: CheckpointChoice
  ) {
    let agreement = Agreement(communicator)
    let progress = Progress(isActive: communicator.rank == 0)
    let (reader, tensors, found) = try agreement.together {
      if choice == .best, let folder = RunFolder.best(at: path) {
        do {
          let (reader, tensors) = try newestWhole(at: folder, saying: progress)
          return (reader, tensors, CheckpointChoice.best)
        } catch {
          progress.say("\(error); taking the newest in the place of the best")
        }
      }
      let (reader, tensors) = try newestWhole(at: path, saying: progress)
      return (reader, tensors, CheckpointChoice.latest)
    }
    let configuration = try agreement.together {
      try TrainingConfiguration(
        yaml: reader.manifest.configuration, path: "\(reader.folder)/manifest.json",
        assignments: assignments)
    }
    _ = try agreement.together { try configuration.refuseAnotherModel(than: reader) }
    let session = try TrainingSession(configuration, on: communicator)
    try agreement.together {
      try session.restore(tensors, folder: reader.folder)
      if reader.manifest.optimizer.name == ASGD().name, reader.manifest.optimizer.stepCount > 0 {
        // What averaged SGD has to show is its average, which its first step starts.
        try session.parameters.restore(tensors, group: "optimizer/ax", folder: reader.folder)
      }
    }
    return (session, reader, found)
  }

  /// The newest checkpoint at a path that can be read and has the sums of its manifest.
  private static func newestWhole(
    at path: String, saying progress: Progress
  ) throws(CheckpointError) -> (CheckpointReader, [CheckpointTensor]) {
    var first: CheckpointError?
    for folder in RunFolder.candidates(at: path) {
      do throws(CheckpointError) {
        let reader = try CheckpointReader(folder)
        return (reader, try reader.checkedTensors())
      } catch {
        first = first ?? error
        progress.say("\(error); trying the one before, if there is one")
      }
    }
    throw first ?? RunFolder.noCheckpoint(at: path)
  }

  /// Takes over the parameters and buffers of a checkpoint.
  func restore(_ tensors: [CheckpointTensor], folder: String) throws(CheckpointError) {
    try parameters.restore(tensors, group: "parameters", folder: folder)
    for (name, buffer) in workload.buffers {
      buffer.copy(
        from: try tensors.values("buffers/\(name)", shape: buffer.shape, folder: folder))
    }
  }

  /// A line that says what is about to be trained, and on what.
  public var summary: String {
    let model = configuration.model
    let layers = model.layers == 1 ? "1 layer" : "\(model.layers) layers"
    return "\(model.cell.configurationText) H=\(model.hiddenSize), \(layers),"
      + " \(workload.trainedCount) parameters; \(workload.dataSummary); \(workers),"
      + " \(configuration.shards) shards, batch \(configuration.batchSize),"
      + " \(machine.kernels) kernels"
  }

  /// "2 ranks x 1 thread".
  private var workers: String {
    let (fewest, most) = (cores.threadsOfAll.lowerBound, cores.threadsOfAll.upperBound)
    let threads = fewest == most ? "\(most)" : "\(fewest)-\(most)"
    return "\(communicator.size) \(communicator.size == 1 ? "rank" : "ranks") x \(threads)"
      + (most == 1 ? " thread" : " threads")
  }

  /// What slows the run down and could be otherwise.
  public var warnings: [String] {
    // It was told to use one; a build that does not listen fights with our threads.
    let ofBLAS = OpenBLAS.threads
    return cores.warnings
      + (ofBLAS > 1
        ? ["OpenBLAS adds \(ofBLAS - 1) threads of its own: set OPENBLAS_NUM_THREADS=1"] : [])
  }

  /// Adds the loss and the task's metrics to a metrics record.
  public func add(_ totals: Totals, to record: inout MetricsRecord) {
    record.add("loss", totals.meanLoss)
    for metric in task.metrics(totals) { record.add(metric.key, metric.value) }
  }

  /// Totals for a person: the loss and the task's metrics.
  public func describe(_ totals: Totals) -> String {
    (["loss \(brief(totals.meanLoss))"] + task.metrics(totals).map(\.text)).joined(
      separator: "  ")
  }

  /// How much was gone through, for a person: "10000 sequences".
  public func describeAmount(_ totals: Totals) -> String {
    task.elementName.map { "\(Int(totals.elements)) \($0)" }
      ?? "\(Int(totals.sequences)) sequences"
  }

  /// Adds how fast it went to a metrics record.
  func addSpeed(_ totals: Totals, seconds: Double, to record: inout MetricsRecord) {
    record.add("sequences_per_second", totals.sequences / seconds)
    if let name = task.elementName {
      record.add("\(name)_per_second", totals.elements / seconds)
    }
  }

  /// How fast it went, for a person: "5265 seq/s".
  func describeSpeed(_ totals: Totals, seconds: Double) -> String {
    task.elementName.map { "\(brief(totals.elements / seconds, digits: 3)) \($0)/s" }
      ?? "\(brief(totals.sequences / seconds, digits: 3)) seq/s"
  }
}

extension ParameterBuffer where Scalar == Float {
  /// Takes over the tensors of a checkpoint's group.
  func restore(
    _ tensors: [CheckpointTensor], group: String, folder: String
  ) throws(CheckpointError) {
    for entry in layout.entries {
      self[entry].copy(
        from: try tensors.values("\(group)/\(entry.name)", shape: entry.shape, folder: folder))
    }
  }
}

extension [CheckpointTensor] {
  /// The numbers of the tensor at a path, which must have the given shape.
  func values(
    _ path: String, shape: [Int], folder: String
  ) throws(CheckpointError) -> [Float] {
    guard let tensor = first(where: { $0.path == path }), tensor.shape == shape else {
      throw CheckpointError(
        folder, "has no tensor \(path) of shape \(shape)",
        cure: "it belongs to another model: use the configuration it was made with")
    }
    return tensor.values
  }
}

extension RunFolder {
  /// The checkpoint of a run with the lowest validation loss; nil where nothing was validated, and
  /// where the path is that of a checkpoint.
  static func best(at path: String) -> String? {
    let all = candidates(at: path)
    guard all.first != path, let newest = try? firstReadable(at: path),
      let step = newest.manifest.bestStep
    else { return nil }
    let folder = RunFolder(path).existingCheckpoint(step: step)
    return all.contains(folder) ? folder : nil
  }
}
