// SPDX-License-Identifier: Apache-2.0

import BLAS
import DataParallel
import Kernels
import Models
import MPI
import Optimizers
import Tensors

/// A training step with its batch loaded, shared by the trainer and the benchmarks.
///
///     accumulate       computes the gradients of this rank's shards, and sums complete ones
///     reduce           sums over all ranks
///     finishGradients  computes the mean, derived gradients and the norm, and clips
///     update           takes the optimizer's step
///
/// The caller calls them in this order. It may time each of them, or stop between two.
public struct TrainingStep {
  /// The parameters that are trained.
  public let parameters: ParameterBuffer<Float>
  /// How gradients are summed over the ranks.
  public let reduction: GradientReduction
  private let reducer: any GradientReducer

  /// - Parameters:
  ///   - parameters: the parameters
  ///   - reduction: the reduction of the gradient
  ///   - reducer: sums the totals of a step; its communicator must differ from that of a reduction
  ///     with a worker
  public init(
    _ parameters: ParameterBuffer<Float>, _ reduction: GradientReduction,
    _ reducer: any GradientReducer
  ) {
    self.parameters = parameters
    self.reduction = reduction
    self.reducer = reducer
  }

  /// The gradient of the whole batch, once `reduce` has returned.
  public var gradient: Tensor<Float> { reduction.sum }

  /// Runs a forward and backward pass.
  ///
  /// - Parameters:
  ///   - rows: the rows of the first parameter that the pass touches; nil means all
  ///   - isHeld: whether the shards' gradients stay unchanged until `reduce`
  ///   - pass: writes the gradients to the buffer, and returns the totals of each shard
  public func accumulate(
    touching rows: TouchedRows? = nil, holding isHeld: Bool = false,
    _ pass: (ParameterBuffer<Float>, ShardedBuffer<Float>) -> [Totals]
  ) -> [Totals] {
    assert(NumericEnvironment.isEntered(), "the thread has not entered the numeric environment")
    reduction.begin(touching: rows, holding: isHeld)
    return pass(parameters, reduction.shards)
  }

  /// Sums gradients and totals over all ranks.
  public func reduce(_ totals: [Totals]) throws(MPIError) -> Totals {
    try reduction.finish()
    return Totals(values: try reducer.reduce(totals.map(\.values)))
  }

  /// Turns the sum into the gradient of the mean loss. After this, every rank has identical
  /// numbers.
  ///
  /// - Parameters:
  ///   - total: the totals of the whole batch
  ///   - limit: the largest norm; 0 means no limit
  ///   - finish: converts gradients, such as those of orthogonal matrices
  /// - Returns: the norm before clipping
  public func finishGradients(
    _ total: Totals, clippingTo limit: Double,
    _ finish: (ParameterBuffer<Float>) throws(LAPACKError) -> Void
  ) throws(LAPACKError) -> Double {
    scale(gradient, by: Float(1 / total.weight))
    try finish(ParameterBuffer(parameters.layout, over: gradient))
    return limit > 0 ? clipNorm(of: gradient, to: limit) : norm(of: gradient)
  }

  /// Takes the optimizer's step.
  ///
  /// - Parameters:
  ///   - optimizer: the optimizer of the parameters
  ///   - rateFactor: see `Optimizer.update`
  public func update(_ optimizer: Optimizer<Float>, rateFactor: Double = 1) {
    optimizer.update(parameters, gradients: gradient, rateFactor: rateFactor)
  }
}
