import BLAS
import Checkpoints
import DataParallel
import Datasets
import Foundation
import Kernels
import Models
import Tensors
import Threads

/// A text in columns, gone through chunk by chunk with the state of each column carried on.
///
/// The rows of the batch are the columns: a rank owns those of its shards. States start from zero
/// in every epoch and evaluation. Chunk lengths follow from seed and epoch, masks from seed, step
/// and global column or word: so all ranks, and a resumed run, have the same.
public final class LanguageModelWorkload: Workload {
  public let model: LanguageModel<Float>
  public let vocabulary: Vocabulary
  public let mapping: String?

  private let configuration: TrainingConfiguration
  private let text: TextFile
  private let plan: ShardPlan
  private let rank: Int
  private let train: TokenColumns
  private let state: LanguageModel<Float>.State
  private let maskMemory = Workspace<Float>()
  private var epoch: (number: Int, plan: ChunkPlan)?
  private var loaded: (step: Int, chunk: TokenChunk)?
  /// Where the columns are after the step at hand.
  private var final: LanguageModel<Float>.State?

  init(
    _ configuration: TrainingConfiguration, text: TextFile, plan: ShardPlan, rank: Int
  ) throws {
    let dataset = configuration.dataset
    let (text, mapping) = try dataset.learned?.understand(text, dataset.file) ?? (text, nil)
    self.configuration = configuration
    self.text = text
    self.mapping = mapping
    self.plan = plan
    self.rank = rank
    vocabulary = text.vocabulary
    // A part that is to be measured alone stands in the place of the training part.
    let columns =
      dataset.measured == nil
      ? configuration.batchSize : configuration.languageModel.evaluationColumns
    let rows = plan.rows(ofRank: rank, in: columns)
    train = try text.columns(of: dataset.measured ?? .train, count: columns, own: rows)
    model = LanguageModel(configuration.languageModel(vocabulary: vocabulary.count))
    state = model.startState(columns: rows.count)
  }

  public var team: ThreadTeam {
    get { model.team }
    set { model.team = newValue }
  }
  public var layout: ParameterLayout { model.layout }
  public var trainedCount: Int { model.trainedCount }
  public var buffers: [(name: String, tensor: Tensor<Float>)] { model.buffers }

  public var carried: [(name: String, rows: Tensor<Float>)] {
    state.enumerated().flatMap { level, state in
      state.named.map { ("\($0.name)_l\(level)", $0.tensor) }
    }
  }

  public var dataSummary: String {
    "\(train.count) columns of \(train.length) \(vocabulary.level.rawValue)s,"
      + " vocabulary \(vocabulary.count)"
  }

  public var chance: ChanceLoss? {
    ChanceLoss(log(Double(vocabulary.count)), "ln \(vocabulary.count), guessing")
  }

  public var batchShape: (steps: Int, rows: Int) {
    (min(configuration.languageModel.chunkLength, train.length), configuration.batchSize)
  }

  public func workingBytes(threads: Int, isTraining: Bool) -> Double {
    // An evaluation has columns of its own.
    let columns =
      isTraining ? configuration.batchSize : configuration.languageModel.evaluationColumns
    return model.workingBytes(
      steps: batchShape.steps, rows: plan.rows(ofRank: rank, in: columns).count,
      shards: plan.shards(of: rank).count, isTraining: isTraining)
  }

  public func initialize(_ parameters: ParameterBuffer<Float>) {
    model.initialize(
      parameters, seed: configuration.seed, gateBias: configuration.model.gateBias)
  }

  public func describe(in run: RunFolder) throws { try vocabulary.keep(in: run) }

  public func identity(validating: Bool) throws -> DataIdentity {
    var identity = DataIdentity()
    identity.meaning.vocabulary = vocabulary.identity
    for part in configuration.dataset.measured.map({ [$0] }) ?? [.train, .validation] {
      identity.parts[part.rawValue] = try text.identity(of: part)
    }
    return identity
  }

  // MARK: Steps

  private func chunks(ofEpoch number: Int) -> ChunkPlan {
    if let epoch, epoch.number == number { return epoch.plan }
    let settings = configuration.languageModel
    return settings.randomChunks
      ? ChunkPlan(
        length: train.length, base: settings.chunkLength, seed: configuration.seed, epoch: number)
      : ChunkPlan(length: train.length, chunk: settings.chunkLength)
  }

  public func steps(inEpoch number: Int) -> Int { chunks(ofEpoch: number).chunks.count }

  public func load(_ position: StepPosition) throws {
    let chunks = chunks(ofEpoch: position.epoch)
    epoch = (position.epoch, chunks)
    if position.index == 0 { reset(state) }
    loaded = (
      position.step, try read(chunks.chunks[position.index], of: train)
    )
  }

  public func prefetch(after position: StepPosition) throws {
    let here = chunks(ofEpoch: position.epoch).chunks
    let isLast = position.index + 1 == here.count
    let next = isLast ? chunks(ofEpoch: position.epoch + 1).chunks[0] : here[position.index + 1]
    try train.prefetch(Self.read(next))
  }

  public var isReady: Bool { train.isReady }

  /// The steps that a chunk reads: its own, and the one that is the last target.
  fileprivate static func read(_ chunk: Range<Int>) -> Range<Int> {
    chunk.lowerBound..<chunk.upperBound + 1
  }

  /// The authors' rule: a longer chunk has a gradient of less variance, and takes a longer step.
  public var rateFactor: Double {
    guard configuration.languageModel.randomChunks, let loaded else { return 1 }
    // Of the chunk as all ranks have it; this rank may own no column.
    return Double(loaded.chunk.steps) / Double(configuration.languageModel.chunkLength)
  }

  public func prepare(
    _ parameters: ParameterBuffer<Float>, advancing: Bool
  ) throws(LAPACKError) {
    model.dropMasks()
    var masks: LanguageModelMasks<Float>?
    if advancing, let loaded {
      masks = LanguageModelMasks(
        model, seed: configuration.seed, step: loaded.step, columns: train.own,
        workspace: maskMemory)
    }
    try model.prepare(parameters, masks: masks, advancing: advancing)
  }

  /// The words of the chunk. Where the decoder shares their weight, its gradient touches all rows.
  public var touchedRows: TouchedRows? {
    guard let loaded, let entry = model.sparseEntry else { return nil }
    return TouchedRows(entry, rows: loaded.chunk.tokens.lazy.map { Int($0) })
  }

  public func accumulateGradients(
    _ parameters: ParameterBuffer<Float>, into gradients: ShardedBuffer<Float>
  ) -> [Totals] {
    guard let loaded else { preconditionFailure("no step is loaded") }
    let outcome = model.accumulateGradients(
      loaded.chunk, from: state, parameters, into: gradients)
    final = outcome.final
    return outcome.totals
  }

  public func advance() {
    if let final { model.advance(state, to: final) }
    final = nil
  }

  public func revert(_ parameters: ParameterBuffer<Float>) { model.revert(parameters) }

  public func finishGradients(_ gradients: ParameterBuffer<Float>) throws(LAPACKError) {
    try model.finishGradients(gradients)
  }

  private func reset(_ state: LanguageModel<Float>.State) {
    for layer in state { for member in layer.named { member.tensor.fill(0) } }
  }

  fileprivate func read(_ steps: Range<Int>, of columns: TokenColumns) throws -> TokenChunk {
    try columns.hold(Self.read(steps))
    return TokenChunk(
      steps: steps.count, tokens: try columns.tokens(at: steps),
      targets: try columns.tokens(at: steps.lowerBound + 1..<steps.upperBound + 1),
      columns: columns.own.count, columnStarts: plan.rowStarts(ofRank: rank, in: columns.count))
  }

  // MARK: Evaluation

  public func evaluation(of part: DatasetFile.Part) throws -> any Evaluation {
    let settings = configuration.languageModel
    let columns = try text.columns(
      of: part, count: settings.evaluationColumns,
      own: plan.rows(ofRank: rank, in: settings.evaluationColumns))
    return ColumnEvaluation(self, columns, of: part, chunk: settings.chunkLength)
  }

  /// A part in columns, each from a zero state, in chunks of one length.
  private final class ColumnEvaluation: Evaluation {
    private let workload: LanguageModelWorkload
    private let columns: TokenColumns
    private let part: DatasetFile.Part
    private let plan: ChunkPlan
    private let state: LanguageModel<Float>.State
    private var chunk: TokenChunk?

    init(
      _ workload: LanguageModelWorkload, _ columns: TokenColumns, of part: DatasetFile.Part,
      chunk: Int
    ) {
      self.workload = workload
      self.part = part
      self.columns = columns
      plan = ChunkPlan(length: columns.length, chunk: chunk)
      state = workload.model.startState(columns: columns.own.count)
    }

    var batches: Int { plan.chunks.count }
    var chance: ChanceLoss? { workload.chance }

    func identity() throws -> DataIdentity.Part? { try workload.text.identity(of: part) }

    func load(_ index: Int) throws {
      if index == 0 { workload.reset(state) }
      chunk = try workload.read(plan.chunks[index], of: columns)
      if index + 1 < batches {
        try columns.prefetch(LanguageModelWorkload.read(plan.chunks[index + 1]))
      }
    }

    func run(_ parameters: ParameterBuffer<Float>) -> [Totals] {
      guard let chunk else { preconditionFailure("no batch is loaded") }
      return workload.model.evaluate(chunk, from: state, parameters)
    }
  }
}
