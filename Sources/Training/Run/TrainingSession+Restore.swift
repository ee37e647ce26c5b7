// SPDX-License-Identifier: Apache-2.0

import Configuration
import BLAS
import Checkpoints
import Datasets
import Files
import HDF5
import Models
import MPI
import Placement
import Reports
import Tensors

extension TrainingSession {
  /// A session with the parameters of a checkpoint, under the configuration it was made with.
  ///
  /// - Parameters:
  ///   - path: a run's folder, or a checkpoint's
  ///   - choice: which checkpoint of a run
  ///   - assignments: keys to set otherwise, as `key.path=value`
  ///   - file: the only file to measure on, instead of the run's data
  ///   - part: the part of `file`; nil is its test part, or else its only one
  ///   - communicator: the ranks that share the work
  ///   - whole: the plan of all ranks of the job, if these are only some of them
  /// - Returns: the session and its checkpoint
  public static func restore(
    from path: String, choice: CheckpointChoice = .latest, assignments: [String],
    file: String? = nil, part: DatasetFile.Part? = nil, on communicator: Communicator,
    within whole: CorePlan? = nil
  ) throws(RunFailure) -> (session: TrainingSession, checkpoint: TrainedCheckpoint) {
    let agreement = Agreement(communicator)
    let checkpoint = try TrainedCheckpoint(
      at: path, choice: choice, agreement, saying: Progress(isActive: communicator.rank == 0))
    let configuration = try agreement.together {
      var own = try TrainingConfiguration(of: checkpoint.reader, assignments: assignments)
      _ = try own.refuseAnotherModel(than: checkpoint.reader)
      own.dataset.learned = LearnedData(of: checkpoint.reader, .measuring)
      if let file {
        own.dataset.file = file
        own.dataset.measured = try own.dataset.place.measuredPart(part)
      }
      return own
    }
    let session = try TrainingSession(
      configuration, on: communicator, isTraining: false, within: whole)
    try agreement.together {
      try session.workload.model.buffers.restore(checkpoint.tensors, folder: checkpoint.folder)
      try session.parameters.restore(
        checkpoint.tensors, group: checkpoint.parametersGroup, folder: checkpoint.folder)
    }
    return (session, checkpoint)
  }

  /// Loads the parameters and buffers of a checkpoint.
  func restore(_ tensors: [CheckpointTensor], folder: String) throws(CheckpointError) {
    try parameters.restore(tensors, group: "parameters", folder: folder)
    try workload.model.buffers.restore(tensors, folder: folder)
  }

  /// One line about the model to be trained, and its data.
  public var summary: String {
    let model = configuration.model
    let layers = model.layers == 1 ? "1 layer" : "\(model.layers) layers"
    return "\(model.title) H=\(model.hiddenSize), \(layers),"
      + " \(workload.model.trainedCount) parameters; \(workload.stream.summary); \(workers),"
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

  /// Warnings about what slows the run down and could be changed.
  public var warnings: [String] {
    // OpenBLAS is set to one thread; a build that ignores this competes with our threads.
    let ofBLAS = OpenBLAS.threads
    return cores.warnings
      + (ofBLAS > 1
        ? ["OpenBLAS adds \(ofBLAS - 1) threads of its own: set OPENBLAS_NUM_THREADS=1"] : [])
      + (HDF5Library.isThreadSafe
        ? []
        : [
          "HDF5 \(HDF5Library.version) was built without thread safety: training waits while data"
            + " are read and checkpoints are written; use a build with --enable-threadsafe"
        ])
  }

  /// Adds the loss and the task's metrics to a metrics record.
  public func add(_ totals: Totals, to record: inout MetricsRecord) {
    record.add("loss", totals.meanLoss)
    for metric in task.objective.metrics(totals) { record.add(metric.key, metric.value) }
  }

  /// Totals as text: the loss and the task's metrics.
  public func describe(_ totals: Totals) -> String {
    (["loss \(brief(totals.meanLoss))"] + task.objective.metrics(totals).map(\.text)).joined(
      separator: "  ")
  }

  /// The amount of data as text: "10000 sequences".
  public func describeAmount(_ totals: Totals) -> String {
    task.elementName.map { "\(Int(totals.elements)) \($0)" }
      ?? counted(Int(totals.sequences), "sequence")
  }

  /// Adds the speed to a metrics record.
  func addSpeed(_ totals: Totals, seconds: Double, to record: inout MetricsRecord) {
    record.add("sequences_per_second", totals.sequences / seconds)
    if let name = task.elementName {
      record.add("\(name)_per_second", totals.elements / seconds)
    }
  }

  /// The speed as text: "5265 seq/s".
  func describeSpeed(_ totals: Totals, seconds: Double) -> String {
    task.elementName.map { "\(brief(totals.elements / seconds, digits: 3)) \($0)/s" }
      ?? "\(brief(totals.sequences / seconds, digits: 3)) seq/s"
  }
}

extension ParameterBuffer where Scalar == Float {
  /// Loads the tensors of a checkpoint's group.
  func restore(
    _ tensors: [CheckpointTensor], group: String, folder: String
  ) throws(CheckpointError) {
    for entry in layout.entries {
      self[entry].copy(
        from: try tensors.values("\(group)/\(entry.name)", shape: entry.shape, folder: folder))
    }
  }

  /// Loads this buffer's slice of the tensors of a checkpoint's group.
  ///
  /// - Parameter whole: the layout of the whole tensors
  func restore(
    _ tensors: [CheckpointTensor], group: String, folder: String, slice: RowSlice,
    of whole: ParameterLayout
  ) throws(CheckpointError) {
    for (entry, own) in zip(whole.entries, layout.entries) {
      let values = try tensors.values(
        "\(group)/\(entry.name)", shape: entry.shape, folder: folder)
      let elements = slice.elements(of: entry)
      let start = entry.range.lowerBound
      self[own].copy(
        from: Array(values[elements.lowerBound - start..<elements.upperBound - start]))
    }
  }
}

extension [(name: String, tensor: Tensor<Float>)] {
  /// Loads the buffers of a checkpoint, which it holds in addition to parameters.
  func restore(_ tensors: [CheckpointTensor], folder: String) throws(CheckpointError) {
    for (name, buffer) in self {
      buffer.copy(
        from: try tensors.values("buffers/\(name)", shape: buffer.shape, folder: folder))
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
