import BLAS
import DataParallel
import Datasets
import Models
import Tensors
import Threads

/// Whole sequences in shuffled batches: each starts from a zero state and ends in its own read-out.
final class SequenceWorkload: Workload {
  private let configuration: TrainingConfiguration
  private let task: any SequenceTask
  private let train: any SequenceSource
  private var validation: (any SequenceSource)?
  private let model: SequenceModel<Float>
  private let reader: BatchReader
  /// The shards of this rank, and its rows of a whole batch.
  private let ownShards: Int
  private let ownRows: Int
  /// The length of a training sequence by its index, where lengths differ.
  private let trainLength: ((Int) -> Int)?
  private var order: (epoch: Int, batches: EpochOrder)?
  private var batch: SequenceBatch<Float>?

  /// Opens the training data, which tells the model its sizes.
  init(
    _ configuration: TrainingConfiguration, task: any SequenceTask, plan: ShardPlan, rank: Int
  ) throws {
    self.configuration = configuration
    self.task = task
    // A part that is to be measured alone stands in the place of the training part.
    let train = try task.source(configuration.dataset.measured ?? .train)
    self.train = train
    try task.check(train, configuration.dataset)
    let isRagged = (0..<train.count).contains { train.length(of: $0) != train.steps }
    trainLength = isRagged ? { train.length(of: $0) } : nil
    model = SequenceModel(
      configuration.stack, inputs: train.features, outputs: train.targetKind.outputs,
      objective: task.objective, pooling: configuration.model.pooling)
    reader = BatchReader(plan: plan, rank: rank)
    ownShards = plan.shards(of: rank).count
    ownRows = plan.rows(ofRank: rank, in: min(configuration.batchSize, max(train.count, 1))).count
  }

  var team: ThreadTeam {
    get { model.team }
    set { model.team = newValue }
  }
  var layout: ParameterLayout { model.layout }
  var trainedCount: Int { model.trainedCount }
  var buffers: [(name: String, tensor: Tensor<Float>)] { model.buffers }
  var chance: ChanceLoss? { task.chance(on: train) }
  var notes: [String] { train.notes }
  var dataSummary: String {
    "\(configuration.dataset.task.rawValue) T=\(train.steps) C=\(train.features),"
      + " \(train.count) sequences" + (task.validationSummary.map { ", \($0)" } ?? "")
  }
  var mapping: String? { task.mapping }

  func identity(validating: Bool) throws -> DataIdentity {
    let isValidated = validating && configuration.dataset.validationCount > 0
    return try task.identity(
      configuration.dataset, train: train,
      validation: isValidated ? { try self.source(.validation) } : nil)
  }

  func firstChecksums(_ limit: Int) throws -> [(sequence: Int, crc32: UInt32)] {
    guard configuration.dataset.measured == nil, train.count > 0 else { return [] }
    return try order(ofEpoch: 0).batch(0).prefix(limit).map { ($0, try train.checksum(of: $0)) }
  }

  /// A part of the data; what is opened for its identity is not opened again to be read.
  private func source(_ part: DatasetFile.Part) throws -> any SequenceSource {
    if part == configuration.dataset.measured { return train }
    if part == .validation, let validation { return validation }
    let source = try task.source(part)
    if part == .validation { validation = source }
    return source
  }

  var batchShape: (steps: Int, rows: Int) {
    (train.steps, min(configuration.batchSize, train.count))
  }

  func workingBytes(threads: Int, isTraining: Bool) -> Double {
    return model.workingBytes(
      steps: train.steps, rows: ownRows, shards: ownShards, threads: threads,
      isEveryStep: train.targetKind.isEveryStep, isRagged: trainLength != nil,
      isTraining: isTraining)
  }

  func initialize(_ parameters: ParameterBuffer<Float>) {
    model.initialize(
      parameters, seed: configuration.seed, gateBias: configuration.model.gateBias)
  }

  func steps(inEpoch epoch: Int) -> Int {
    EpochOrder.batches(of: train.count, batchSize: configuration.batchSize)
  }

  func load(_ position: StepPosition) throws {
    batch = nil
    batch = try reader.read(order(ofEpoch: position.epoch).batch(position.index), from: train)
  }

  func prefetch(after position: StepPosition) throws {
    let here = order(ofEpoch: position.epoch)
    let isLast = position.index + 1 == here.batches
    // What validation reads from the same file may take its place.
    let next = isLast ? order(ofEpoch: position.epoch + 1).batch(0) : here.batch(position.index + 1)
    try train.prefetch(reader.own(next))
  }

  private func order(ofEpoch number: Int) -> EpochOrder {
    if let order, order.epoch == number { return order.batches }
    let batches = EpochOrder(
      count: train.count, batchSize: configuration.batchSize, seed: configuration.seed,
      epoch: number, length: trainLength)
    order = (number, batches)
    return batches
  }

  var isReady: Bool { train.isReady }

  func prepare(_ parameters: ParameterBuffer<Float>, advancing: Bool) throws(LAPACKError) {
    try model.prepare(parameters, advancing: advancing)
  }

  func accumulateGradients(
    _ parameters: ParameterBuffer<Float>, into gradients: ShardedBuffer<Float>
  ) -> [Totals] {
    guard let batch else { preconditionFailure("no step is loaded") }
    return model.accumulateGradients(batch, parameters, into: gradients)
  }

  /// Gives the memory of the batch back to the reader, which evaluations share.
  func advance() { batch = nil }

  func revert(_ parameters: ParameterBuffer<Float>) { model.revert(parameters) }

  func finishGradients(_ gradients: ParameterBuffer<Float>) throws(LAPACKError) {
    try model.finishGradients(gradients)
  }

  func evaluation(of part: DatasetFile.Part) throws -> any Evaluation {
    let source = try source(part)
    guard source.features == train.features, source.targetKind == train.targetKind else {
      throw RunFailure(
        .unusableData,
        "\(configuration.dataset.file): the \(part.rawValue) part has \(source.features) features"
          + " and \(source.targetKind.outputs) outputs, the training part \(train.features) and"
          + " \(train.targetKind.outputs); make all parts alike")
    }
    guard source.count > 0 else {
      throw RunFailure(
        .configuration,
        "the \(part.rawValue) part is empty; choose another --split, or set"
          + " dataset.validation_count")
    }
    return SequenceEvaluation(
      model, source, reader, batchSize: configuration.batchSize, chance: task.chance(on: source))
  }
}

/// A source of sequences, in its own order.
private final class SequenceEvaluation: Evaluation {
  private let model: SequenceModel<Float>
  private let source: any SequenceSource
  private let reader: BatchReader
  private let order: EpochOrder
  private var batch: SequenceBatch<Float>?

  init(
    _ model: SequenceModel<Float>, _ source: any SequenceSource, _ reader: BatchReader,
    batchSize: Int, chance: ChanceLoss?
  ) {
    self.model = model
    self.source = source
    self.reader = reader
    self.chance = chance
    order = EpochOrder(inOrder: source.count, batchSize: batchSize)
    let kind = source.targetKind
    confusion =
      kind.isClassOfSequence && kind.outputs <= Self.maximumClasses
      ? ConfusionCounts(classes: kind.outputs) : nil
  }

  let chance: ChanceLoss?
  let confusion: ConfusionCounts?
  var batches: Int { order.batches }
  var classNames: [String]? { source.classNames }

  func identity() throws -> DataIdentity.Part? { try source.identity() }

  /// More classes than this make a matrix that nobody reads.
  private static let maximumClasses = 1000

  func load(_ index: Int) throws {
    batch = try reader.read(order.batch(index), from: source)
    if index + 1 < batches { try source.prefetch(reader.own(order.batch(index + 1))) }
  }

  func run(_ parameters: ParameterBuffer<Float>) -> [Totals] {
    guard let batch else { preconditionFailure("no batch is loaded") }
    self.batch = nil  // gives its memory back to the reader
    return model.evaluate(batch, parameters, counting: confusion)
  }
}

/// Reads a rank's rows of global batches.
private final class BatchReader {
  private let plan: ShardPlan
  private let rank: Int
  private let buffers = Workspace<Float>()

  init(plan: ShardPlan, rank: Int) {
    self.plan = plan
    self.rank = rank
  }

  /// The sequences of a global batch that this rank reads.
  func own(_ indices: ArraySlice<Int>) -> ArraySlice<Int> {
    let rows = plan.rows(ofRank: rank, in: indices.count)
    return indices[indices.startIndex + rows.lowerBound..<indices.startIndex + rows.upperBound]
  }

  func read(
    _ indices: ArraySlice<Int>, from source: any SequenceSource
  ) throws -> SequenceBatch<Float> {
    let mine = own(indices)
    // The longest sequence of the whole batch, not of this rank's rows: shapes must not depend on
    // the rank count.
    let steps = indices.lazy.map { source.length(of: $0) }.max() ?? source.steps
    let isRagged = indices.contains { source.length(of: $0) != steps }
    let x = buffers.tensor("x", [steps, mine.count, source.features])
    return SequenceBatch(
      x: x, targets: try source.read(mine, into: x),
      lengths: isRagged ? mine.map { source.length(of: $0) } : nil,
      rowStarts: plan.rowStarts(ofRank: rank, in: indices.count))
  }
}
