// SPDX-License-Identifier: Apache-2.0

import BLAS
import Datasets
import Models
import Tensors

/// A model and the stream that it learns from, on one rank. A task makes it from a configuration,
/// and the loop of `Trainer` runs it.
///
/// It holds the batch of the current step. It knows nothing of MPI: the trainer sums what the
/// shards of all ranks return.
public final class Workload {
  /// The model.
  public let model: any TrainableModel
  /// The batches of this rank.
  public let stream: any BatchStream
  private let steps: any Steps

  public init<Model: TrainableModel, Stream: BatchStream>(
    _ model: Model, on stream: Stream
  ) where Model.Batch == Stream.Batch {
    self.model = model
    self.stream = stream
    steps = PairedSteps(model, stream)
  }

  /// Reads this rank's share of the data of a step.
  public func load(_ position: StepPosition) throws { try steps.load(position) }

  /// Reads one shard of a step's data, for `recompute`. Call it between `load` and `prefetch`.
  public func loadShard(_ shard: Int, at position: StepPosition) throws {
    try steps.loadShard(shard, at: position)
  }

  /// Runs the shard of `loadShard` forward and backward, before the step's own pass; see
  /// `TrainableModel`.
  ///
  /// - Returns: the totals of the shard
  public func recompute(
    from carried: [Tensor<Float>], _ parameters: ParameterBuffer<Float>,
    into gradients: ShardedBuffer<Float>
  ) -> Totals {
    steps.recompute(from: carried, parameters, into: gradients)
  }

  /// Starts to read what the step after this one needs.
  public func prefetch(after position: StepPosition) throws {
    try stream.prefetch(after: position)
  }

  /// A factor on the learning rate of the loaded step, in addition to the schedule's.
  public var rateFactor: Double { steps.rateFactor }

  /// Computes what is derived from the parameters. Call it after `load` and before a step's forward
  /// pass (`advancing`), or before an evaluation.
  public func prepare(
    _ parameters: ParameterBuffer<Float>, advancing: Bool
  ) throws(LAPACKError) {
    try steps.prepare(parameters, advancing: advancing)
  }

  /// The rows that the gradient of the loaded step touches; see `TrainableModel.touchedRows(by:)`.
  public var touchedRows: TouchedRows? { steps.touchedRows }

  /// Runs the loaded step forward and backward; see `TrainableModel`.
  ///
  /// - Returns: the totals of each shard
  public func accumulateGradients(
    _ parameters: ParameterBuffer<Float>, into gradients: ShardedBuffer<Float>
  ) -> [Totals] {
    steps.accumulateGradients(parameters, into: gradients)
  }

  /// Moves the carried state to the end of the loaded step, and counts the step.
  public func advance() { steps.advance() }

  /// A part of the data to evaluate the model on. It does not change the carried state.
  public func evaluation(of part: DatasetFile.Part) throws -> Evaluation {
    try steps.evaluation(of: part)
  }
}

/// A pass over a part of the data in batches, forward only. Batches are run in order, each once.
public final class Evaluation {
  private let stream: any BatchStream
  private let steps: any Steps
  /// This rank's share of how often one class was taken for another, in the batches run so far;
  /// nil if the answer is not a class, or one of very many.
  public let confusion: ConfusionCounts?

  fileprivate init(_ stream: any BatchStream, _ steps: any Steps) {
    self.stream = stream
    self.steps = steps
    confusion = stream.countedClasses.map {
      ConfusionCounts(classes: $0, of: stream.countedAnswers)
    }
  }

  /// The number of batches in the first epoch.
  public var batches: Int { stream.steps(inEpoch: 0) }
  /// The baseline loss on this part; nil if unknown.
  public var chance: ChanceLoss? { stream.chance }
  /// The names of the classes, if the data have them.
  public var classNames: [String]? { stream.classNames }

  /// The identity of this part; nil if it has none.
  public func identity() throws -> DataIdentity.Part? { try stream.partIdentity() }

  /// Reads this rank's share of a batch.
  public func load(_ index: Int) throws {
    let position = StepPosition(step: index, epoch: 0, index: index)
    try steps.load(position)
    try stream.prefetch(after: position)
  }

  /// Runs the loaded batch forward.
  ///
  /// - Returns: the totals of each shard
  public func run(_ parameters: ParameterBuffer<Float>) -> [Totals] {
    steps.evaluate(parameters, counting: confusion)
  }
}

/// A model, a stream with batches of its type, and the loaded batch. It hides the type of the
/// batch.
private protocol Steps: AnyObject {
  func load(_ position: StepPosition) throws
  func loadShard(_ shard: Int, at position: StepPosition) throws
  func recompute(
    from carried: [Tensor<Float>], _ parameters: ParameterBuffer<Float>,
    into gradients: ShardedBuffer<Float>
  ) -> Totals
  var rateFactor: Double { get }
  func prepare(_ parameters: ParameterBuffer<Float>, advancing: Bool) throws(LAPACKError)
  var touchedRows: TouchedRows? { get }
  func accumulateGradients(
    _ parameters: ParameterBuffer<Float>, into gradients: ShardedBuffer<Float>
  ) -> [Totals]
  func advance()
  func evaluate(
    _ parameters: ParameterBuffer<Float>, counting confusion: ConfusionCounts?
  ) -> [Totals]
  func evaluation(of part: DatasetFile.Part) throws -> Evaluation
}

private final class PairedSteps<Model: TrainableModel, Stream: BatchStream>: Steps
where Model.Batch == Stream.Batch {
  private let model: Model
  private let stream: Stream
  private var batch: Stream.Batch?
  /// A single shard of the step, perhaps another rank's.
  private var shard: Stream.Batch?

  init(_ model: Model, _ stream: Stream) {
    self.model = model
    self.stream = stream
  }

  private var loaded: Stream.Batch {
    guard let batch else { preconditionFailure("no batch is loaded") }
    return batch
  }

  func load(_ position: StepPosition) throws {
    batch = nil  // frees its memory
    if position.index == 0 { model.startEpoch() }
    batch = try stream.load(position)
  }

  func loadShard(_ shard: Int, at position: StepPosition) throws {
    self.shard = try stream.load(position, shard: shard)
  }

  func recompute(
    from carried: [Tensor<Float>], _ parameters: ParameterBuffer<Float>,
    into gradients: ShardedBuffer<Float>
  ) -> Totals {
    guard let shard else { preconditionFailure("no shard is loaded") }
    self.shard = nil
    return model.recompute(shard, from: carried, parameters, into: gradients)[0]
  }

  var rateFactor: Double { stream.rateFactor(of: loaded) }

  func prepare(_ parameters: ParameterBuffer<Float>, advancing: Bool) throws(LAPACKError) {
    try model.prepare(parameters, for: advancing ? batch : nil, advancing: advancing)
  }

  var touchedRows: TouchedRows? { model.touchedRows(by: loaded) }

  func accumulateGradients(
    _ parameters: ParameterBuffer<Float>, into gradients: ShardedBuffer<Float>
  ) -> [Totals] {
    model.accumulateGradients(loaded, parameters, into: gradients)
  }

  func advance() {
    model.advance()
    batch = nil  // returns its memory to the stream, which evaluations share
  }

  func evaluate(
    _ parameters: ParameterBuffer<Float>, counting confusion: ConfusionCounts?
  ) -> [Totals] {
    defer { batch = nil }
    return model.evaluate(loaded, parameters, counting: confusion)
  }

  func evaluation(of part: DatasetFile.Part) throws -> Evaluation {
    let stream = try stream.part(part)
    let model = model.measuring(rows: stream.extent(isTraining: false).ownRows)
    return Evaluation(stream, PairedSteps(model, stream))
  }
}
