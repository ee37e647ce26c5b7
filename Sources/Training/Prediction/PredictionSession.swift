// SPDX-License-Identifier: Apache-2.0

import BLAS
import Checkpoints
import Configuration
import DataParallel
import Datasets
import Kernels
import Layers
import Liveness
import MPI
import Models
import Placement
import Tensors
import Threads

/// A trained model and a file of inputs, on one rank of a communicator.
///
/// Ranks compute the rows of their shards. A row has the same bits regardless of the other rows, so
/// the output is the same at any rank count.
public final class PredictionSession {
  /// The fields that are predicted for each sequence, in the order of the output.
  public let fields: [PredictionField]
  /// The number of sequences.
  public let count: Int
  /// The name of each sequence; nil if the file has none.
  public var names: [String]? { input.names }
  /// The row in the file of each sequence; nil if each row is a sequence.
  public var originalRows: [Int]? { input.rows }
  /// The names of the classes; nil if unknown.
  public var classNames: [String]? { input.classNames }
  /// Lines for the user, the same on every rank.
  public let notes: [String]
  /// The trained model.
  public let checkpoint: TrainedCheckpoint
  /// Whether the answer of a step is the input of the next.
  public let isForecast: Bool

  /// Whether steps arrive one by one.
  var isStream: Bool { request.isStream }

  let request: PredictionRequest
  let communicator: Communicator
  let agreement: Agreement
  let plan: ShardPlan
  let input: PredictionInput
  let model: SequenceModel<Float>
  let parameters: ParameterBuffer<Float>
  let answers: AnswerFields
  let hasTimes: Bool
  let batchSize: Int
  /// The state before the first step of each sequence; nil is zeros.
  let start: StreamState?
  /// The state after the last step of each batch, by the first row of the batch; only on rank 0.
  var ends: [(row: Int, state: LayerState<Float>)] = []
  /// The number of steps of a stream; nil before its end, and for whole sequences.
  var streamedSteps: Int?
  /// T, the window of a forecast in training.
  let window: Int

  var source: any SequenceSource { input.source }
  /// How often each sequence is run. Each of the first `folds` passes answers for the steps that it
  /// hides, and one more pass answers for the neurons that no pass sees.
  var passes: Int { (source as? FoldedSpikes)?.passes ?? 1 }
  var folds: Int { (source as? FoldedSpikes)?.folds ?? 1 }

  /// Opens the checkpoint and the inputs. Every rank calls this.
  public init(_ request: PredictionRequest, on communicator: Communicator) throws(RunFailure) {
    NumericEnvironment.enter()
    (self.request, self.communicator) = (request, communicator)
    let agreement = Agreement(communicator)
    self.agreement = agreement
    try agreement.together { try PredictionFile.check(request) }
    let checkpoint = try TrainedCheckpoint(
      at: request.path, choice: request.choice, agreement,
      saying: Progress(isActive: communicator.rank == 0))
    self.checkpoint = checkpoint
    let configuration = try agreement.together {
      try Self.configuration(request, checkpoint.reader)
    }
    Deadline.seconds = configuration.peerTimeout
    Deadline.savingSeconds = configuration.checkpoint.timeout
    try TrainingSession.refuseUnequalMachines(communicator)
    plan = try TrainingSession.plan(configuration.shards, on: communicator)
    guard !request.isStream || communicator.size == 1 else {
      throw RunFailure(.usage, "--stream reads one sequence; start it without mpirun")
    }
    let opened = try agreement.together {
      try OpenedPrediction(request, configuration, checkpoint)
    }
    (input, model, parameters) = (opened.input, opened.model, opened.parameters)
    (hasTimes, start, notes) = (opened.hasTimes, opened.start, opened.notes)
    batchSize = configuration.batchSize
    window = configuration.dataset.forecast.window
    count = opened.input.source.count / ((opened.input.source as? FoldedSpikes)?.passes ?? 1)
    isForecast = configuration.dataset.task == .nextFrame
    answers = AnswerFields(
      kind: opened.input.source.targetKind, isForecast: isForecast,
      features: configuration.dataset.task == .forecast ? opened.input.source.features : nil,
      rollOut: request.rollOut, steps: opened.input.source.steps,
      statistics: isForecast ? opened.input.statistics : opened.input.targetStatistics)
    fields = answers.fields + Self.furtherFields(request, opened.model, answers.steps)
    let cores: CorePlan
    do {
      cores = try CorePlan(
        wanted: configuration.threads, shards: plan.shards(of: communicator.rank).count,
        on: communicator)
    } catch {
      throw RunFailure(error)
    }
    opened.model.team = try agreement.together {
      try ThreadTeam(cores.threads) { NumericEnvironment.enter() }
    }
  }

  private static func furtherFields(
    _ request: PredictionRequest, _ model: SequenceModel<Float>, _ T: Int
  ) -> [PredictionField] {
    let hidden =
      request.wantsHidden
      ? [PredictionField("hidden", [T, model.stack.outputs], isEveryStep: true)] : []
    guard request.wantsFeatures else { return hidden }
    return hidden
      + model.layerOutputs.map {
        PredictionField("features/\($0.name)", [T] + $0.shape, isEveryStep: true)
      }
  }

  private static func configuration(
    _ request: PredictionRequest, _ reader: CheckpointReader
  ) throws -> TrainingConfiguration {
    var configuration = try TrainingConfiguration(of: reader, assignments: request.assignments)
    _ = try configuration.refuseAnotherModel(than: reader)
    guard configuration.dataset.task != .languageModel else {
      throw RunFailure(
        .configuration,
        "dataset.task is language_model, which `momentum-dist generate` continues a text with;"
          + " predict is for sequences")
    }
    // A stream is one sequence: a norm's window must not end with each call.
    configuration.model.carryWindow = true
    return configuration
  }

  /// T of an output sequence.
  func length(of index: Int) -> Int { source.length(of: index * passes) }

  /// The name of a sequence in the file, or its row.
  func label(of index: Int) -> String {
    names?[index] ?? "\(originalRows?[index] ?? index)"
  }
}

/// The files and the model that each rank opens for itself.
struct OpenedPrediction {
  let input: PredictionInput
  let model: SequenceModel<Float>
  let parameters: ParameterBuffer<Float>
  let hasTimes: Bool
  let start: StreamState?
  let notes: [String]

  init(
    _ request: PredictionRequest, _ configuration: TrainingConfiguration,
    _ checkpoint: TrainedCheckpoint
  ) throws {
    let learned = LearnedData(of: checkpoint.reader, .measuring)
    guard let outputs = learned.outputs else {
      throw RunFailure(
        .unusableData, "\(checkpoint.folder): has no readout.weight; name another checkpoint")
    }
    let kind = configuration.dataset.task.kind(outputs: outputs)
    input = try PredictionInput(request, configuration, learned, kind)
    let source = input.source
    guard let task = configuration.dataset.task.make(configuration) as? any SequenceTask else {
      throw RunFailure(.configuration, "dataset.task: predict is for tasks of sequences")
    }
    try configuration.checkEncoder(features: source.features, steps: source.steps)
    model = try task.model(
      configuration, features: source.features, map: source.map, source.targetKind)
    hasTimes = try Self.openTimes(source, model, learned, request.file)
    parameters = ParameterBuffer(model.layout)
    try parameters.restore(
      checkpoint.tensors, group: checkpoint.parametersGroup, folder: checkpoint.folder)
    try model.buffers.restore(checkpoint.tensors, folder: checkpoint.folder)
    try model.prepare(parameters, advancing: false)
    try PredictionLimits(
      request: request, configuration: configuration, model: model, source: source,
      hasTimes: hasTimes
    ).check()
    if let path = request.state {
      start = try StreamState(
        path, like: model.stack.startState(rows: source.count), rows: source.count,
        parameters: checkpoint.manifest.parametersSHA256)
    } else {
      start = nil
    }
    notes = source.notes + input.notes.filter { !source.notes.contains($0) }
  }

  private static func openTimes(
    _ source: any SequenceSource, _ model: SequenceModel<Float>, _ learned: LearnedData,
    _ path: String
  ) throws(DatasetError) -> Bool {
    guard model.readsTimes, learned.learnedTimes == true else { return false }
    guard source.hasTimes else {
      throw DatasetError(
        path, "has no times of its steps, but the run learned from times",
        cure: "store them as times [N, T], or name them with --set dataset.times=... or --time")
    }
    try source.openTimes()
    return true
  }
}

extension TaskName {
  /// The kind of the targets of a model with this many outputs.
  func kind(outputs K: Int) -> TargetKind {
    switch self {
    case .classification: .classes(K)
    case .adding: .values(K)
    case .copying, .denoise, .languageModel: .stepClasses(K)
    case .nextFrame: .frames(K)
    case .maskedSpikes: .stepCounts(K)
    case .regression, .forecast: .values(K)
    case .tagging: .stepClasses(K)
    case .multilabel: .labels(K)
    }
  }
}
