// SPDX-License-Identifier: Apache-2.0

import Configuration
import Checkpoints
import DataParallel
import Datasets
import Foundation
import Models

/// A chunk of a text in columns, at a step of a run.
struct ColumnStep {
  /// Optimizer steps before it.
  var step: Int
  var chunk: TokenChunk
  /// The columns of this rank, by their global index.
  var columns: Range<Int>
}

/// A text in columns, chunk by chunk.
///
/// The rows of the batch are the columns: a rank owns those of its shards. Chunk lengths follow
/// from seed and epoch, so all ranks, and a resumed run, have the same.
final class ColumnStream: BatchStream {
  let vocabulary: Vocabulary
  let mapping: String?

  private let configuration: TrainingConfiguration
  private let text: TextFile
  private let plan: ShardPlan
  private let rank: Int
  private let part: DatasetFile.Part
  private let columns: TokenColumns
  /// Whether this is an evaluation: one epoch of chunks of equal length.
  private let isInOrder: Bool
  private var epoch: (number: Int, plan: ChunkPlan)?

  /// Opens the training text.
  init(
    _ configuration: TrainingConfiguration, text: TextFile, plan: ShardPlan, rank: Int
  ) throws {
    let dataset = configuration.dataset
    (self.text, mapping) = try dataset.learned?.understand(text, dataset.file) ?? (text, nil)
    self.configuration = configuration
    self.plan = plan
    self.rank = rank
    vocabulary = self.text.vocabulary
    isInOrder = false
    // A part that is evaluated alone replaces the training part.
    part = dataset.measured ?? .train
    let count =
      dataset.measured == nil
      ? configuration.batchSize : configuration.languageModel.evaluationColumns
    columns = try self.text.columns(
      of: part, count: count, own: plan.rows(ofRank: rank, in: count))
  }

  private init(_ part: DatasetFile.Part, of whole: ColumnStream) throws {
    configuration = whole.configuration
    text = whole.text
    mapping = whole.mapping
    plan = whole.plan
    rank = whole.rank
    vocabulary = whole.vocabulary
    isInOrder = true
    self.part = part
    let count = configuration.languageModel.evaluationColumns
    columns = try text.columns(of: part, count: count, own: plan.rows(ofRank: rank, in: count))
  }

  func part(_ part: DatasetFile.Part) throws -> ColumnStream {
    try ColumnStream(part, of: self)
  }

  /// How many columns this rank owns.
  var ownColumns: Int { columns.own.count }

  func extent(isTraining: Bool) -> StreamExtent {
    // An evaluation has its own columns.
    let own = isTraining ? configuration.batchSize : configuration.languageModel.evaluationColumns
    return StreamExtent(
      steps: min(configuration.languageModel.chunkLength, columns.length),
      rows: configuration.batchSize, ownRows: plan.rows(ofRank: rank, in: own).count,
      ownShards: plan.shards(of: rank).count, isEveryStep: true, isRagged: false)
  }

  // MARK: Chunks

  private func chunks(ofEpoch number: Int) -> ChunkPlan {
    if let epoch, epoch.number == number { return epoch.plan }
    let settings = configuration.languageModel
    return settings.randomChunks && !isInOrder
      ? ChunkPlan(
        length: columns.length, base: settings.chunkLength, seed: configuration.seed,
        epoch: number)
      : ChunkPlan(length: columns.length, chunk: settings.chunkLength)
  }

  func steps(inEpoch number: Int) -> Int { chunks(ofEpoch: number).chunks.count }

  func load(_ position: StepPosition) throws -> ColumnStep {
    let chunks = chunks(ofEpoch: position.epoch)
    epoch = (position.epoch, chunks)
    let steps = chunks.chunks[position.index]
    return try read(
      steps, of: columns, cutAt: plan.rowStarts(ofRank: rank, in: columns.count),
      step: position.step)
  }

  func load(_ position: StepPosition, shard: Int) throws -> ColumnStep {
    let own = plan.rows(of: shard, in: columns.count)
    let others = try text.columns(of: part, count: columns.count, own: own, inMemory: false)
    return try read(
      chunks(ofEpoch: position.epoch).chunks[position.index], of: others, cutAt: [0, own.count],
      step: position.step)
  }

  private func read(
    _ steps: Range<Int>, of columns: TokenColumns, cutAt starts: [Int], step: Int
  ) throws -> ColumnStep {
    try columns.hold(Self.read(steps))
    let chunk = TokenChunk(
      steps: steps.count, tokens: try columns.tokens(at: steps),
      targets: try columns.tokens(at: steps.lowerBound + 1..<steps.upperBound + 1),
      columns: columns.own.count, columnStarts: starts)
    return ColumnStep(step: step, chunk: chunk, columns: columns.own)
  }

  func prefetch(after position: StepPosition) throws {
    let here = chunks(ofEpoch: position.epoch).chunks
    let isLast = position.index + 1 == here.count
    guard !isLast || !isInOrder else { return }
    let next = isLast ? chunks(ofEpoch: position.epoch + 1).chunks[0] : here[position.index + 1]
    try columns.prefetch(Self.read(next))
  }

  var isReady: Bool { columns.isReady }

  /// The steps that a chunk reads: its own, and one more for the last target.
  private static func read(_ chunk: Range<Int>) -> Range<Int> {
    chunk.lowerBound..<chunk.upperBound + 1
  }

  /// The authors' rule: the gradient of a longer chunk has less variance, and gets a larger step.
  func rateFactor(of batch: ColumnStep) -> Double {
    guard configuration.languageModel.randomChunks else { return 1 }
    // From the chunk of all ranks; this rank may own no column.
    return Double(batch.chunk.steps) / Double(configuration.languageModel.chunkLength)
  }

  // MARK: What the text is

  var summary: String {
    "\(columns.count) columns of \(columns.length) \(vocabulary.level.rawValue)s,"
      + " vocabulary \(vocabulary.count)"
  }

  var chance: ChanceLoss? { CrossEntropy.perToken.chance(.stepClasses(vocabulary.count)) }

  func describe(in run: RunFolder) throws { try vocabulary.keep(in: run) }

  func identity(validating: Bool) throws -> DataIdentity {
    var identity = DataIdentity()
    identity.meaning.vocabulary = vocabulary.identity
    for part in configuration.dataset.measured.map({ [$0] }) ?? [.train, .validation] {
      identity.parts[part.rawValue] = try text.identity(of: part)
    }
    return identity
  }

  func partIdentity() throws -> DataIdentity.Part? { try text.identity(of: part) }
}
