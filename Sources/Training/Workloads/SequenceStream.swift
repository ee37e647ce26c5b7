// SPDX-License-Identifier: Apache-2.0

import Configuration
import DataParallel
import Datasets
import Layers
import Models
import Tensors

/// Whole sequences in batches: shuffled again in every epoch, or in order for an evaluation.
final class SequenceStream: BatchStream {
  private let configuration: TrainingConfiguration
  private let task: any SequenceTask
  private let source: any SequenceSource
  private let reader: BatchReader
  /// Whether the sequences are in the order of the file.
  private let isInOrder: Bool
  /// The length of a sequence by its index, if lengths differ.
  private let length: ((Int) -> Int)?
  /// The class of each sequence, if the classes are drawn equally often.
  private let classes: [Int32]?
  /// Whether batches have times.
  private var hasTimes = false
  private(set) var timesNote: String?
  private var validation: (any SequenceSource)?
  private var order: (epoch: Int, batches: EpochOrder)?

  /// Opens the training data.
  init(
    _ configuration: TrainingConfiguration, task: any SequenceTask, plan: ShardPlan, rank: Int
  ) throws {
    self.configuration = configuration
    self.task = task
    // A part that is evaluated alone replaces the training part.
    let whole = try task.source(configuration.dataset.measured ?? .train)
    try task.check(whole, configuration.dataset)
    let train = try configuration.dataset.overfitted(whole)
    source = train
    reader = BatchReader(plan: plan, shards: plan.shards(of: rank))
    isInOrder = false
    let isRagged = (0..<train.count).contains { train.length(of: $0) != train.steps }
    length = isRagged ? { train.length(of: $0) } : nil
    let isBalanced = configuration.dataset.isBalanced && configuration.dataset.measured == nil
    classes = isBalanced ? try ClassWeighting.classes(of: train) : nil
  }

  private init(_ source: any SequenceSource, of whole: SequenceStream) {
    configuration = whole.configuration
    task = whole.task
    reader = whole.reader
    self.source = source
    isInOrder = true
    length = nil
    classes = nil
    hasTimes = whole.hasTimes
  }

  /// C.
  var features: Int { source.features }
  var targetKind: TargetKind { source.targetKind }
  /// The shape [Y, X, C] of a step that is a map.
  var map: [Int]? { source.map }

  func extent(isTraining: Bool) -> StreamExtent {
    let rows = min(configuration.batchSize, source.count)
    return StreamExtent(
      steps: source.steps, rows: rows, ownRows: reader.rows(of: max(rows, 1)).count,
      ownShards: reader.shards.count, isEveryStep: targetKind.isEveryStep, isRagged: length != nil)
  }

  // MARK: Batches

  func steps(inEpoch epoch: Int) -> Int {
    EpochOrder.batches(of: source.count, batchSize: configuration.batchSize)
  }

  func load(_ position: StepPosition) throws -> SequenceBatch<Float> {
    try load(position, reader)
  }

  func load(_ position: StepPosition, shard: Int) throws -> SequenceBatch<Float> {
    try load(position, reader.ofShard(shard))
  }

  private func load(
    _ position: StepPosition, _ reader: BatchReader
  ) throws -> SequenceBatch<Float> {
    source.enter(epoch: isInOrder ? nil : position.epoch)
    let indices = order(ofEpoch: position.epoch).batch(position.index)
    var batch = try reader.read(indices, from: source, withTimes: hasTimes)
    guard !isInOrder else { return batch }
    let own = reader.own(indices)
    batch.noise = SequenceNoise(
      seed: configuration.seed, step: position.step, sequences: Array(own))
    task.mask(&batch, sequences: own, epoch: position.epoch, seed: configuration.seed)
    return batch
  }

  func prefetch(after position: StepPosition) throws {
    let here = order(ofEpoch: position.epoch)
    let isLast = position.index + 1 == here.batches
    guard !isLast || !isInOrder else { return }
    // Data that validation reads from the same file may replace it.
    let next = isLast ? order(ofEpoch: position.epoch + 1).batch(0) : here.batch(position.index + 1)
    try source.prefetch(reader.own(next))
  }

  var isReady: Bool { source.isReady }

  private func order(ofEpoch number: Int) -> EpochOrder {
    if let order, order.epoch == number { return order.batches }
    let (count, size) = (source.count, configuration.batchSize)
    let batches =
      isInOrder
      ? EpochOrder(inOrder: count, batchSize: size)
      : EpochOrder(
        count: count, batchSize: size, seed: configuration.seed, epoch: number, length: length,
        balancing: classes)
    order = (number, batches)
    return batches
  }

  // MARK: Parts

  func part(_ part: DatasetFile.Part) throws -> SequenceStream {
    let other = try source(of: part)
    guard other.features == features, other.targetKind == targetKind else {
      throw RunFailure(
        .unusableData,
        "\(configuration.dataset.file): the \(part.rawValue) part has \(other.features) features"
          + " and \(other.targetKind.outputs) outputs, the training part \(features) and"
          + " \(targetKind.outputs); give all parts the same")
    }
    try configuration.checkEncoder(features: other.features, steps: other.steps)
    guard other.count > 0 else {
      throw RunFailure(
        .configuration,
        "the \(part.rawValue) part is empty; choose another --split, or set"
          + " dataset.validation_count")
    }
    return SequenceStream(other, of: self)
  }

  /// Opens the times of the steps if layers read them.
  ///
  /// - Parameter areRead: whether any layer reads them
  /// - Throws: `DatasetError` if times are wrong, or missing although the run learned with them
  func openTimes(_ areRead: Bool, by cell: String) throws {
    let file = configuration.dataset.file
    guard areRead else {
      timesNote =
        source.hasTimes
        ? "has times of its steps, which the cell \(cell) does not read: only their order counts"
        : nil
      return
    }
    let learned = configuration.dataset.learned?.learnedTimes
    if source.hasTimes {
      try source.openTimes()
      hasTimes = true
      timesNote =
        learned == false
        ? "has times of its steps; the run learned without, from steps at 0, 1, 2 ..." : nil
    } else if learned == true, configuration.dataset.learned?.use == .measuring {
      throw DatasetError(
        file, "has no times of its steps, but the run learned from times",
        cure: "prepare it with --times, or name them with dataset.times")
    }
  }

  /// A part of the data; it is opened only once for its identity and for reading.
  private func source(of part: DatasetFile.Part) throws -> any SequenceSource {
    if part == configuration.dataset.measured { return source }
    if part != .test, configuration.dataset.isOverfitted { return source }
    if part == .validation, let validation { return validation }
    let other = try task.source(part)
    guard !hasTimes || other.hasTimes else {
      throw DatasetError(
        configuration.dataset.file,
        "the \(part.rawValue) part has no times of its steps, but the training part has",
        cure: "make all parts alike, or set dataset.read_times=off")
    }
    if hasTimes { try other.openTimes() }
    if part == .validation { validation = other }
    return other
  }

  // MARK: What the data are

  var summary: String {
    "\(configuration.dataset.task.rawValue) T=\(source.steps) C=\(features),"
      + " \(source.count) sequences" + (hasTimes ? " with times" : "")
      + (configuration.dataset.isOverfitted
        ? ", the first of the training part, also in validation"
        : task.validationSummary.map { ", \($0)" } ?? "")
  }
  var notes: [String] {
    source.notes + task.notes + (timesNote.map { ["\(configuration.dataset.file): \($0)"] } ?? [])
  }
  var mapping: String? { task.mapping }
  var classNames: [String]? { source.classNames }
  private(set) lazy var chance = task.chance(on: source)

  var countedClasses: Int? {
    // More classes than this make a matrix too large to read.
    let areCounted =
      targetKind.isClassOfSequence || [.tagging, .multilabel].contains(configuration.dataset.task)
    return areCounted && targetKind.outputs <= 1000 ? targetKind.outputs : nil
  }

  var countedAnswers: CountedAnswers {
    targetKind.answer == .labels ? .labels : targetKind.isEveryStep ? .stepClasses : .classes
  }

  func identity(validating: Bool) throws -> DataIdentity {
    let isValidated = validating && configuration.dataset.validationCount > 0
    return try task.identity(
      configuration.dataset, train: source,
      validation: isValidated ? { try self.source(of: .validation) } : nil)
  }

  func partIdentity() throws -> DataIdentity.Part? { try source.identity() }

  func firstChecksums(_ limit: Int) throws -> [(sequence: Int, crc32: UInt32)] {
    guard configuration.dataset.measured == nil, source.count > 0 else { return [] }
    return try order(ofEpoch: 0).batch(0).prefix(limit).map {
      ($0, try source.checksum(of: $0, withTimes: hasTimes))
    }
  }
}

/// Reads the rows of some virtual shards of global batches: a rank's, or a single one.
private final class BatchReader {
  private let plan: ShardPlan
  let shards: Range<Int>
  private let buffers = Workspace<Float>()
  private let timeBuffers = Workspace<Double>()

  init(plan: ShardPlan, shards: Range<Int>) {
    self.plan = plan
    self.shards = shards
  }

  /// A reader of one shard, with its own memory.
  func ofShard(_ shard: Int) -> BatchReader { BatchReader(plan: plan, shards: shard..<shard + 1) }

  /// The rows of the shards in a batch of `count` rows.
  func rows(of count: Int) -> Range<Int> { plan.rows(ofShards: shards, in: count) }

  /// The sequences of a global batch that it reads.
  func own(_ indices: ArraySlice<Int>) -> ArraySlice<Int> {
    let rows = rows(of: indices.count)
    return indices[indices.startIndex + rows.lowerBound..<indices.startIndex + rows.upperBound]
  }

  func read(
    _ indices: ArraySlice<Int>, from source: any SequenceSource, withTimes: Bool
  ) throws -> SequenceBatch<Float> {
    let mine = own(indices)
    // The longest sequence of the whole batch, not of these rows: shapes must not depend on the
    // rank count.
    let steps = indices.lazy.map { source.length(of: $0) }.max() ?? source.steps
    let isRagged = indices.contains { source.length(of: $0) != steps }
    let x = buffers.tensor("x", [steps, mine.count, source.features])
    let times = withTimes ? timeBuffers.tensor("times", [steps, mine.count]) : nil
    if let times { try source.readTimes(mine, into: times) }
    return SequenceBatch(
      x: x, targets: try source.read(mine, into: x),
      lengths: isRagged ? mine.map { source.length(of: $0) } : nil, times: times,
      rowStarts: plan.rowStarts(ofShards: shards, in: indices.count))
  }
}
