// SPDX-License-Identifier: Apache-2.0

/// What grows with the number of ranks.
public enum Scaling: String, Sendable, Codable, CaseIterable {
  /// Nothing: the batch is split into smaller pieces.
  case strong
  /// The batch, so that each rank has as much work as a single one.
  case weak
}

/// The parts of the time of a step on several ranks. They add up to the whole.
public struct ScalingResult: Sendable, Codable {
  /// Whether the batch stays the same or grows with the ranks.
  public let scaling: Scaling
  /// The number of ranks.
  public let ranks: Int
  /// The number of hosts.
  public let hosts: Int
  /// Sequences, over all ranks.
  public let batch: Int
  /// Virtual shards, over all ranks.
  public let shards: Int
  /// The median step, of the slowest rank.
  public let secondsPerStep: Double
  /// Forward and backward, the mean over ranks.
  public let computeSeconds: Double
  /// How much longer the slowest rank took for that.
  public let lateSeconds: Double
  /// The wait for the sum of the gradients, without the lateness.
  public let reductionSeconds: Double
  /// Scaling, clipping and the optimizer.
  public let optimizerSeconds: Double
  /// The rest of the step.
  public let otherSeconds: Double
  /// Sequences per second relative to one rank.
  public let speedup: Double
  /// The speed-up divided by the number of ranks.
  public let efficiency: Double
}

/// The model's prediction for a step on a number of ranks.
public struct ScalingPrediction: Sendable, Codable {
  /// Whether the batch stays the same or grows with the ranks.
  public let scaling: Scaling
  /// The number of ranks.
  public let ranks: Int
  /// The number of hosts.
  public let hosts: Int
  /// The predicted step, the sum of its two terms.
  public let predictedSecondsPerStep: Double
  /// A step of one rank with its share of the batch.
  public let aloneSeconds: Double
  /// The sum of the gradients over the ranks.
  public let reductionSeconds: Double
  /// Relative to the measured step of one rank.
  public let efficiency: Double
}
