// SPDX-License-Identifier: Apache-2.0

import BLAS
import Kernels
import Models
import Tensors
import Threads

/// A model as the training loop sees it: gradients of a batch, and the state that its rows carry
/// from batch to batch. It knows neither files nor ranks.
public protocol TrainableModel<Batch>: AnyObject {
  /// The data of one batch.
  associatedtype Batch

  /// The threads that share this rank's shards. Their number does not change any bit.
  var team: ThreadTeam { get set }
  /// The parameters of the model.
  var layout: ParameterLayout { get }
  /// How many numbers are trained.
  var trainedCount: Int { get }
  /// What a checkpoint must hold in addition to parameters, by name; the same on every rank.
  var buffers: [(name: String, tensor: Tensor<Float>)] { get }
  /// The state that this rank's rows of the batch carry from step to step, [rows, width] by name;
  /// a checkpoint holds it for the rows of all ranks.
  var carried: [(name: String, rows: Tensor<Float>)] { get }

  /// An estimate of the bytes of memory that the passes over a batch take on this rank.
  func workingBytes(_ extent: StreamExtent, threads: Int, isTraining: Bool) -> Double

  /// Sets the starting values, which depend only on the seed.
  func initialize(_ parameters: ParameterBuffer<Float>, seed: UInt64, gateBias: Double)

  /// Sets the carried state to that at the start of an epoch.
  func startEpoch()
  /// Computes what is derived from the parameters. Call it before the forward pass of a step, or
  /// before an evaluation.
  ///
  /// - Parameters:
  ///   - parameters: the parameters of the model
  ///   - batch: the batch of the step; nil before an evaluation
  ///   - advancing: true once per step
  func prepare(
    _ parameters: ParameterBuffer<Float>, for batch: Batch?, advancing: Bool
  ) throws(LAPACKError)
  /// Undoes the last advancing `prepare`, whose step diverged and does not count.
  func revert(_ parameters: ParameterBuffer<Float>)
  /// The rows of the first parameter that the gradient of a batch touches on this rank, if they
  /// may be few; nil if it touches all. It is nil on every rank or on none.
  func touchedRows(by batch: Batch) -> TouchedRows?
  /// Runs a batch forward and backward, adding the gradient of each shard's *summed* loss. It may
  /// report finished gradients meanwhile, by `ShardedBuffer.whenFinal`. The carried state does not
  /// change.
  ///
  /// - Returns: the totals of each shard
  func accumulateGradients(
    _ batch: Batch, _ parameters: ParameterBuffer<Float>, into gradients: ShardedBuffer<Float>
  ) -> [Totals]
  /// Runs a batch of one shard, which may be another rank's, forward and backward. Only the
  /// gradient is kept. Call it before the step's own pass, whose memory it uses.
  ///
  /// - Parameters:
  ///   - batch: the rows of the shard
  ///   - carried: the state that the shard's rows carry, in the order of `carried`
  ///   - parameters: the parameters
  ///   - gradients: receives the gradient of the shard
  /// - Returns: the totals of the shard
  func recompute(
    _ batch: Batch, from carried: [Tensor<Float>], _ parameters: ParameterBuffer<Float>,
    into gradients: ShardedBuffer<Float>
  ) -> [Totals]
  /// Called in training with the states that the read-out sees; for tests of faults.
  var disturbance: ((Tensor<Float>) -> Void)? { get set }
  /// Turns the summed gradients of what `prepare` computed into gradients of the parameters.
  func finishGradients(_ gradients: ParameterBuffer<Float>) throws(LAPACKError)
  /// Moves the carried state to the end of the last batch, whose step counts.
  func advance()

  /// The same model with carried state for the rows of another part.
  ///
  /// - Parameter rows: the rows of a batch of that part on this rank
  func measuring(rows: Int) -> Self
  /// Runs a batch forward, and moves the carried state to its end.
  ///
  /// - Parameters:
  ///   - batch: the batch to evaluate
  ///   - parameters: the parameters of the model
  ///   - confusion: counts the answers of sequences that have one class each
  /// - Returns: the totals of each shard
  func evaluate(
    _ batch: Batch, _ parameters: ParameterBuffer<Float>, counting confusion: ConfusionCounts?
  ) -> [Totals]
}

extension TrainableModel {
  public var carried: [(name: String, rows: Tensor<Float>)] { [] }
  public func startEpoch() {}
  public func touchedRows(by batch: Batch) -> TouchedRows? { nil }
  public func advance() {}
  public func recompute(
    _ batch: Batch, from carried: [Tensor<Float>], _ parameters: ParameterBuffer<Float>,
    into gradients: ShardedBuffer<Float>
  ) -> [Totals] {
    accumulateGradients(batch, parameters, into: gradients)
  }
}

/// Each sequence starts from a zero state, so nothing is carried.
extension SequenceModel: TrainableModel where Scalar == Float {
  public func workingBytes(_ extent: StreamExtent, threads: Int, isTraining: Bool) -> Double {
    workingBytes(
      steps: extent.steps, rows: extent.ownRows, shards: extent.ownShards, threads: threads,
      isEveryStep: extent.isEveryStep, isRagged: extent.isRagged, isTraining: isTraining)
  }

  public func prepare(
    _ parameters: ParameterBuffer<Float>, for batch: SequenceBatch<Float>?, advancing: Bool
  ) throws(LAPACKError) {
    try prepare(parameters, advancing: advancing)
  }

  public func measuring(rows: Int) -> SequenceModel<Float> { self }
}
