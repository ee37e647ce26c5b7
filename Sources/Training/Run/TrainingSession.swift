// SPDX-License-Identifier: Apache-2.0

import Configuration
import BLAS
import Checkpoints
import DataParallel
import Datasets
import Files
import Foundation
import Kernels
import Layers
import Liveness
import Models
import MPI
import Optimizers
import Placement
import Reports
import Tensors
import Threads
import TrainingSteps

/// A model with its data on one rank of a communicator, for training, evaluation and inspection.
public final class TrainingSession {
  /// The resolved configuration.
  public let configuration: TrainingConfiguration
  /// The ranks that train together.
  public let communicator: Communicator
  /// How the ranks agree on failures.
  public let agreement: Agreement
  /// Which virtual shards each rank owns.
  public let plan: ShardPlan
  /// What is predicted, from which data.
  public let task: any TrainingTask
  /// The model with this rank's share of the data.
  public let workload: Workload
  /// The identity of the data, the same on every rank.
  public let identity: DataIdentity
  /// The parameters of the model, the same on every rank.
  public let parameters: ParameterBuffer<Float>
  /// The threads of the ranks, and the cores they share.
  public let cores: CorePlan
  let reducer: any GradientReducer
  let reduction: GradientReduction
  /// Called between steps, on every rank of a trial; returns what other ranks request. Nil outside
  /// sweeps.
  public var requestBetweenSteps: (() throws(RunFailure) -> SignalRequest)?
  var step: TrainingStep { TrainingStep(parameters, reduction, reducer) }

  /// Sets up the model and opens the training data, which determine the model's sizes.
  ///
  /// - Parameters:
  ///   - configuration: the configuration of the run
  ///   - communicator: the ranks that share the work
  ///   - isTraining: whether steps are taken, which need more memory than an evaluation
  ///   - whole: the plan of all ranks of the job, if `communicator` has only some of them
  public init(
    _ configuration: TrainingConfiguration, on communicator: Communicator,
    isTraining: Bool = true, within whole: CorePlan? = nil
  ) throws(RunFailure) {
    NumericEnvironment.enter()
    self.communicator = communicator
    agreement = Agreement(communicator)
    Deadline.seconds = configuration.peerTimeout
    Deadline.savingSeconds = configuration.checkpoint.timeout
    try agreement.together {
      if let problem = KernelBackend.requestProblem { throw RunFailure(.configuration, problem) }
    }
    try Self.refuseUnequalMachines(communicator)
    let plan = try Self.plan(configuration.shards, on: communicator)
    self.plan = plan
    // The workload makes the matrices and states of the model.
    try MemoryNeed(ofMatrices: configuration).refuse(on: communicator)
    let task = configuration.dataset.task.make(configuration)
    self.task = task
    let workload = try agreement.together {
      try Failpoint.startData.pass(configuration.dataset.file)
      return try task.workload(configuration, plan: plan, rank: communicator.rank)
    }
    self.workload = workload
    self.configuration = task.resolved(configuration)
    try Self.refuseUnequal(workload.stream.summary, on: communicator) { (mine, other, rank) in
      RunFailure(
        .unusableData,
        "rank 0 has \(mine), rank \(rank) has \(other): give every host the same data")
    }
    identity = try Self.identity(of: workload, configuration.dataset, on: communicator)
    if isTraining { try Self.refuseUnequalNumbers(workload, on: communicator) }
    do {
      cores = try CorePlan(
        wanted: configuration.threads, shards: plan.shards(of: communicator.rank).count,
        on: communicator, within: whole)
    } catch {
      throw RunFailure(error)
    }
    try MemoryNeed(
      configuration, workload, plan: plan, on: communicator, threads: cores.threads,
      isTraining: isTraining
    ).refuse(on: communicator)
    let threads = cores.threads
    workload.model.team = try agreement.together {
      try ThreadTeam(threads) { NumericEnvironment.enter() }
    }
    parameters = ParameterBuffer(workload.model.layout)
    workload.model.initialize(
      parameters, seed: configuration.seed, gateBias: configuration.model.gateBias)
    reducer = Self.reducer(configuration.reduction, plan, on: communicator)
    reduction = try Self.reduction(
      configuration, plan, of: workload.model.layout, cores: cores, on: communicator)
  }

  private static func reduction(
    _ configuration: TrainingConfiguration, _ plan: ShardPlan, of layout: ParameterLayout,
    cores: CorePlan, on communicator: Communicator
  ) throws(RunFailure) -> GradientReduction {
    let worker = try overlapWorker(configuration.overlap, cores: cores, on: communicator)
    do {
      // Messages of other threads must not mix with those of this thread.
      return GradientReduction(
        reducer(configuration.reduction, plan, on: try communicator.duplicate()), layout: layout,
        shards: plan.shards(of: communicator.rank).count, bucketBytes: configuration.bucketBytes,
        alwaysSendsRows: configuration.sparseRows == .on, worker: worker)
    } catch {
      throw RunFailure(error)
    }
  }

  /// How the global batch is split, with at least one virtual shard for each rank.
  static func plan(
    _ shards: Int, on communicator: Communicator
  ) throws(RunFailure) -> ShardPlan {
    guard shards >= communicator.size else {
      throw RunFailure(
        .configuration,
        "shards is \(shards) and there are \(communicator.size) ranks: every rank needs a virtual"
          + " shard; use at most \(shards) ranks, or set shards=\(communicator.size) (which makes"
          + " another run)")
    }
    return ShardPlan(shards: shards, ranks: communicator.size)
  }

  private static func reducer(
    _ choice: ReductionKind, _ plan: ShardPlan, on communicator: Communicator
  ) -> any GradientReducer {
    switch choice {
    case .fixed: FixedOrderReducer(communicator, plan: plan)
    case .mpi: MPIReducer(communicator)
    }
  }

  /// The thread that sums gradients during the backward pass; nil if they are summed after it.
  ///
  /// The ranks decide together: a rank that overlapped alone would wait in MPI during the whole
  /// backward pass of the others, and would consider them lost if that takes longer than
  /// `peer_timeout`.
  private static func overlapWorker(
    _ overlap: OverlapChoice, cores: CorePlan, on communicator: Communicator
  ) throws(RunFailure) -> BackgroundWorker? {
    let isWanted =
      switch overlap {
      case .auto: cores.hasFreeCore && Environment.isThreadMultiple && communicator.size > 1
      case .on: Environment.isThreadMultiple
      case .off: false
      }
    let worker =
      isWanted ? try? BackgroundWorker("reduction") { NumericEnvironment.enter() } : nil
    do {
      let all = try communicator.allreduce(worker == nil ? 0 : 1, .minimum)
      return all == 1 ? worker : nil
    } catch {
      throw RunFailure(error)
    }
  }

  /// Refuses ranks whose arithmetic or BLAS differs, because they round differently and their
  /// replicas would diverge. Kernels for AVX2 and AVX-512 may train together.
  static func refuseUnequalMachines(
    _ communicator: Communicator
  ) throws(RunFailure) {
    let backend = KernelBackend.current
    let mine = "\(backend.arithmetic.rawValue) products and OpenBLAS for \(OpenBLAS.coreName)"
    try refuseUnequal(mine, on: communicator) { (first, other, rank) in
      RunFailure(
        .configuration,
        "rank 0 uses \(first), rank \(rank) \(other): their results would differ; use the same on"
          + " all ranks: mpirun -x \(KernelBackend.variable)=avx2 -x OPENBLAS_CORETYPE=HASWELL")
    }
  }

  /// Throws on every rank if any rank's value differs from rank 0's.
  static func refuseUnequal(
    _ mine: String, on communicator: Communicator,
    _ failure: (_ first: String, _ other: String, _ rank: Int) -> RunFailure
  ) throws(RunFailure) {
    let all: [String]
    do {
      all = try communicator.allgather(Array(mine.utf8)).map { String(decoding: $0, as: UTF8.self) }
    } catch {
      throw RunFailure(error)
    }
    guard let odd = all.firstIndex(where: { $0 != all[0] }) else { return }
    throw failure(all[0], all[odd], odd)
  }

  /// The optimizer steps of the first epochs.
  public func steps(ofEpochs epochs: Int) -> Int {
    (0..<epochs).reduce(0) { $0 + workload.stream.steps(inEpoch: $1) }
  }

  /// The totals of a whole part, the same bits at any rank count.
  ///
  /// - Parameters:
  ///   - evaluation: the part to measure
  ///   - limit: the batches after which to stop
  ///   - between: called before each batch
  public func evaluate(
    _ evaluation: Evaluation, atMost limit: Int = .max, between: () throws(RunFailure) -> Void = {}
  ) throws(RunFailure) -> Totals {
    Deadline.enter(.validating)
    try prepareModel(advancing: false)
    if configuration.earlyStopping.metric.needsRanking { evaluation.confusion?.keepRanking() }
    var sum = Totals()
    for index in 0..<min(evaluation.batches, limit) {
      try between()
      try Deadline.during(.readingData) { () throws(RunFailure) in
        try agreement.together {
          try Failpoint.evaluateBatch.pass(configuration.dataset.file)
          try Failpoint.dataRead.pass(configuration.dataset.file)
          try evaluation.load(index)
        }
      }
      sum = sum + (try reduce(evaluation.run(parameters)))
    }
    return sum
  }

  /// Evaluates a part of the data and makes its record. All ranks call this and get the same.
  public func record(
    of part: DatasetFile.Part, at manifest: CheckpointManifest, checkpoint: CheckpointChoice
  ) throws(RunFailure) -> (record: EvaluationRecord, totals: Totals) {
    let evaluation = try agreement.together { try workload.evaluation(of: part) }
    try refuseUnequalParts(evaluation, part)
    evaluation.confusion?.keepRanking()
    let totals = try evaluate(evaluation)
    var record = EvaluationRecord(
      split: part.rawValue, step: manifest.step, epoch: manifest.epoch,
      checkpoint: checkpoint.rawValue, loss: totals.meanLoss,
      metrics: Dictionary(task.objective.metrics(totals).map { ($0.key, $0.value) }) { $1 },
      sequences: Int(totals.sequences), elements: Int(totals.elements))
    record.valueErrors = try agreement.together {
      try task.valueErrors(totals)?.filter(\.mae.isFinite)
    }
    record.chanceLoss = evaluation.chance?.value
    record.chanceMeaning = evaluation.chance?.meaning
    if let confusion = try confusion(of: evaluation) {
      record.confusion = confusion
      record.classNames = evaluation.classNames
      for metric in ClassScores(confusion: confusion).metrics where metric.value.isFinite {
        record.metrics[metric.key] = metric.value
      }
    }
    for metric in try ranking(of: evaluation)?.metrics ?? [] where metric.value.isFinite {
      record.metrics[metric.key] = metric.value
    }
    return (record, totals)
  }

  /// Computes what is derived from the parameters; see `Workload.prepare`.
  func prepareModel(advancing: Bool) throws(RunFailure) {
    do {
      try workload.prepare(parameters, advancing: advancing)
    } catch {
      throw RunFailure(.diverged, "the recurrent matrix cannot be computed: \(error)")
    }
  }

  /// The rows of the first parameter that the gradient of the loaded step touches; nil if it
  /// touches all, or if all must be sent.
  var touchedRows: TouchedRows? {
    configuration.sparseRows == .off ? nil : workload.touchedRows
  }

  /// The rows of each parameter whose optimizer state this rank keeps.
  var optimizerSlice: RowSlice {
    configuration.optimizer.splitState ? SliceGather(communicator).slice : .whole
  }

  /// Assembles parameters of which each rank has only its slice.
  func completeParameters(_ split: [ParameterEntry]) throws(RunFailure) {
    do {
      try SliceGather(communicator).complete(parameters, split)
    } catch {
      throw RunFailure(error)
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
