import BLAS
import Checkpoints
import Datasets
import Models
import Tensors
import Threads

/// Where a run stands before a step.
public struct StepPosition: Sendable, Hashable {
  /// Optimizer steps taken since the start of the run.
  public var step: Int
  /// The epoch at hand, from 0.
  public var epoch: Int
  /// Steps of it that are done.
  public var index: Int

  public init(step: Int, epoch: Int, index: Int) {
    self.step = step
    self.epoch = epoch
    self.index = index
  }
}

/// A model with the data that it learns from, on one rank: what a task makes of a configuration,
/// and what the one loop of `Trainer` runs.
///
/// Whatever a step needs follows from its position, so that a resumed run takes the same steps. It
/// knows nothing of MPI: the trainer sums what the shards of all ranks return.
public protocol Workload: AnyObject {
  /// The threads that share this rank's shards. Their number changes no bit.
  var team: ThreadTeam { get set }
  /// The parameters of the model.
  var layout: ParameterLayout { get }
  /// How many numbers are trained.
  var trainedCount: Int { get }
  /// What a checkpoint must hold besides parameters, by name; alike on every rank.
  var buffers: [(name: String, tensor: Tensor<Float>)] { get }
  /// The state that this rank's rows of the batch carry from step to step, [rows, width] by name;
  /// a checkpoint holds it for the rows of all ranks.
  var carried: [(name: String, rows: Tensor<Float>)] { get }
  /// The data in a few words, such as "classification T=28 C=28, 55000 sequences".
  var dataSummary: String { get }
  /// Notes for the user about the data, one per line.
  var notes: [String] { get }
  /// The loss on the training part of a model that has learned nothing; nil where nobody knows.
  var chance: ChanceLoss? { get }
  /// The identity of the data. Call it while no step is being read.
  ///
  /// - Parameter validating: whether a validation part counts that would have to be opened first
  func identity(validating: Bool) throws -> DataIdentity
  /// The checksums of the first sequences of the first batch, which all ranks must read alike; none
  /// where the identity tells as much.
  func firstChecksums(_ limit: Int) throws -> [(sequence: Int, crc32: UInt32)]
  /// How classes or words of the data were understood, where they are numbered otherwise than those
  /// that the model has learned; nil where they are not.
  var mapping: String? { get }

  /// About how many bytes of memory the passes over a batch take on this rank.
  ///
  /// - Parameters:
  ///   - threads: that share the shards of this rank
  ///   - isTraining: whether there is a backward pass
  func workingBytes(threads: Int, isTraining: Bool) -> Double
  /// The time steps of a batch and its sequences over all ranks, at most.
  var batchShape: (steps: Int, rows: Int) { get }

  /// Sets the starting values, which depend on the seed alone.
  func initialize(_ parameters: ParameterBuffer<Float>)

  /// How many optimizer steps an epoch has.
  func steps(inEpoch epoch: Int) -> Int
  /// Reads this rank's share of the data of a step.
  func load(_ position: StepPosition) throws
  /// Starts to read what the step after this one needs, where that takes time.
  func prefetch(after position: StepPosition) throws
  /// Whether what was started is there, so that `load` does not wait.
  var isReady: Bool { get }
  /// A factor on the learning rate of the loaded step, beside that of the schedule.
  var rateFactor: Double { get }

  /// Computes what follows from the parameters: before a step's forward pass (`advancing`), after
  /// `load`, or before an evaluation.
  func prepare(_ parameters: ParameterBuffer<Float>, advancing: Bool) throws(LAPACKError)
  /// Takes back the last advancing `prepare`: its step diverged and does not count.
  func revert(_ parameters: ParameterBuffer<Float>)
  /// The rows of the first parameter that the gradient of the loaded step touches on this rank,
  /// where that may be few; nil where it touches all. It is nil on every rank or on none.
  var touchedRows: TouchedRows? { get }
  /// Runs the loaded step forward and backward, adding the gradient of each shard's *summed* loss.
  /// It may say what is complete on the way, by `ShardedBuffer.whenFinal`. The carried state stays
  /// where it is.
  ///
  /// - Returns: the totals of each shard
  func accumulateGradients(
    _ parameters: ParameterBuffer<Float>, into gradients: ShardedBuffer<Float>
  ) -> [Totals]
  /// Turns the summed gradients of what `prepare` computed into gradients of the parameters.
  func finishGradients(_ gradients: ParameterBuffer<Float>) throws(LAPACKError)

  /// Takes the carried state to the end of the loaded step, which counts.
  func advance()

  /// Writes into the folder of a run what its model needs to be understood without its data.
  func describe(in run: RunFolder) throws

  /// A part of the data to measure the model on. It leaves the carried state alone.
  func evaluation(of part: DatasetFile.Part) throws -> any Evaluation
}

extension Workload {
  public var carried: [(name: String, rows: Tensor<Float>)] { [] }
  public var rateFactor: Double { 1 }
  public var notes: [String] { [] }
  public var mapping: String? { nil }
  public func firstChecksums(_ limit: Int) throws -> [(sequence: Int, crc32: UInt32)] { [] }
  public var touchedRows: TouchedRows? { nil }
  public func describe(in run: RunFolder) throws {}
  public func prefetch(after position: StepPosition) throws {}
  public func advance() {}
  public var isReady: Bool { true }
}

/// A pass over a part of the data in batches, forward only. Batches are run in order, each once.
public protocol Evaluation: AnyObject {
  var batches: Int { get }
  /// Reads this rank's share of a batch.
  func load(_ index: Int) throws
  /// Runs the loaded batch forward.
  ///
  /// - Returns: the totals of each shard
  func run(_ parameters: ParameterBuffer<Float>) -> [Totals]
  /// The loss on this part of a model that has learned nothing; nil where nobody knows.
  var chance: ChanceLoss? { get }
  /// This rank's share of how often one class was taken for another, in the batches run so far;
  /// nil where the answer is no class, or one of very many.
  var confusion: ConfusionCounts? { get }
  /// What the classes are called, where the data say.
  var classNames: [String]? { get }
  /// What tells this part from others; nil if nothing does.
  func identity() throws -> DataIdentity.Part?
}

extension Evaluation {
  public var confusion: ConfusionCounts? { nil }
  public var classNames: [String]? { nil }
}
