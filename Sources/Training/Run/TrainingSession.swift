import BLAS
import DataParallel
import Datasets
import Files
import Kernels
import Models
import MPI
import Optimizers
import Tensors

extension TrainingConfiguration {
  /// The recurrent layers.
  var stack: StackSpecification {
    let system = model.cell.system
    return StackSpecification(
      drive: system.drive(
        mu: model.mu, epsilon: model.epsilon, beta: model.beta, restart: model.restart),
      body: system.body, orthogonal: model.orthogonal, hidden: model.hiddenSize,
      layers: model.layers, bidirectional: model.bidirectional)
  }
}

/// A model with its data on one rank of a communicator: what training, evaluation and inspection
/// share.
public final class TrainingSession {
  public let configuration: TrainingConfiguration
  public let communicator: Communicator
  public let agreement: Agreement
  public let plan: ShardPlan
  public let task: any TrainingTask
  public let model: SequenceModel<Float>
  public let parameters: ParameterBuffer<Float>
  let reducer: any GradientReducer
  let train: any SequenceSource
  /// The length of a training sequence by its index, where lengths differ.
  let trainLength: ((Int) -> Int)?

  /// Sets up the model and opens the training data, which tells the model its sizes.
  public init(
    _ configuration: TrainingConfiguration, on communicator: Communicator
  ) throws(RunFailure) {
    OpenBLAS.setThreads(1)
    KernelVariant.flushDenormals()
    self.configuration = configuration
    self.communicator = communicator
    agreement = Agreement(communicator)
    Deadline.seconds = configuration.peerTimeout
    try agreement.together {
      if let problem = KernelVariant.requestProblem { throw RunFailure(.configuration, problem) }
    }
    try Self.refuseUnequalMachines(communicator)
    guard configuration.shards >= communicator.size else {
      throw RunFailure(
        .configuration,
        "shards is \(configuration.shards) and there are \(communicator.size) ranks: every rank"
          + " needs a virtual shard; use at most \(configuration.shards) ranks, or set"
          + " shards=\(communicator.size) (which makes another run)")
    }
    plan = ShardPlan(shards: configuration.shards, ranks: communicator.size)
    let task = configuration.dataset.task.make(configuration)
    self.task = task
    let train = try agreement.together {
      try Failpoint.startData.pass(configuration.dataset.file)
      return try task.source(.train)
    }
    self.train = train
    let isRagged = (0..<train.count).contains { train.length(of: $0) != train.steps }
    trainLength = isRagged ? { train.length(of: $0) } : nil
    model = SequenceModel(
      configuration.stack, inputs: train.features, outputs: train.targetKind.outputs,
      loss: task.loss, pooling: configuration.model.pooling)
    parameters = ParameterBuffer(model.layout)
    model.initialize(parameters, seed: configuration.seed, gateBias: configuration.model.gateBias)
    reducer =
      switch configuration.reduction {
      case .fixed: FixedOrderReducer(communicator, plan: plan)
      case .mpi: MPIReducer(communicator)
      }
  }

  /// Reads this rank's rows of a global batch.
  func read(
    _ indices: ArraySlice<Int>, from source: any SequenceSource
  ) throws -> SequenceBatch<Float> {
    try Failpoint.dataRead.pass(configuration.dataset.file)
    let rows = plan.rows(ofRank: communicator.rank, in: indices.count)
    let mine = indices[indices.startIndex + rows.lowerBound..<indices.startIndex + rows.upperBound]
    // The longest sequence of the whole batch, not of this rank's rows: shapes must not depend on
    // the rank count.
    let steps = indices.lazy.map { source.length(of: $0) }.max() ?? source.steps
    let isRagged = indices.contains { source.length(of: $0) != steps }
    let x = buffers.tensor("x", [steps, mine.count, source.features])
    let targets: SequenceTargets<Float> =
      switch try source.read(mine, into: x) {
      case .classes(let classes): .classes(classes)
      case .values(let values): .values(values)
      case .frames(let frames): .frames(frames)
      case .stepClasses(let classes): .stepClasses(classes)
      }
    return SequenceBatch(
      x: x, targets: targets, lengths: isRagged ? mine.map { source.length(of: $0) } : nil,
      rowStarts: plan.rowStarts(ofRank: communicator.rank, in: indices.count))
  }

  private let buffers = Workspace<Float>()

  /// The sequences of a part, which must be of the model's sizes.
  public func source(_ part: DatasetFile.Part) throws -> any SequenceSource {
    let source = try task.source(part)
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
    return source
  }

  /// Ranks whose kernels or BLAS differ round differently: replicas would drift apart.
  private static func refuseUnequalMachines(
    _ communicator: Communicator
  ) throws(RunFailure) {
    let mine = "\(KernelVariant.current.rawValue) kernels and OpenBLAS for \(OpenBLAS.coreName)"
    let all: [String]
    do {
      all = try communicator.allgather(Array(mine.utf8)).map { String(decoding: $0, as: UTF8.self) }
    } catch {
      throw RunFailure(error)
    }
    guard let odd = all.firstIndex(where: { $0 != all[0] }) else { return }
    throw RunFailure(
      .configuration,
      "rank 0 uses \(all[0]), rank \(odd) \(all[odd]): their numbers would differ; start all alike,"
        + " as with mpirun -x \(KernelVariant.variable)=avx2 -x OPENBLAS_CORETYPE=HASWELL")
  }

  /// The totals of a whole part, the same bits at any rank count.
  ///
  /// - Parameter between: called before each batch
  public func evaluate(
    _ source: any SequenceSource, between: () throws(RunFailure) -> Void = {}
  ) throws(RunFailure) -> Totals {
    Deadline.enter(.validating)
    try prepareModel(advancing: false)
    let order = EpochOrder(inOrder: source.count, batchSize: configuration.batchSize)
    var sum = Totals()
    for index in 0..<order.batches {
      try between()
      let batch = try Deadline.during(.readingData) { () throws(RunFailure) in
        try agreement.together {
          try Failpoint.evaluateBatch.pass(configuration.dataset.file)
          return try read(order.batch(index), from: source)
        }
      }
      let totals = model.evaluate(batch, parameters)
      sum = sum + (try reduce(totals))
    }
    return sum
  }

  /// Computes what follows from the parameters; see `SequenceModel.prepare`.
  func prepareModel(advancing: Bool) throws(RunFailure) {
    do {
      try model.prepare(parameters, advancing: advancing)
    } catch {
      throw RunFailure(.diverged, "the recurrent matrix cannot be computed: \(error)")
    }
  }

  func reduce(_ totals: [Totals]) throws(RunFailure) -> Totals {
    do {
      return Totals(values: try reducer.reduce(totals.map(\.values)))
    } catch {
      throw RunFailure(error)
    }
  }
}
