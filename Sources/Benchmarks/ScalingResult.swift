/// What grows with the ranks.
public enum Scaling: String, Sendable, Codable, CaseIterable {
  /// Nothing: the batch is cut into smaller pieces.
  case strong
  /// The batch, so that each rank has as much to do as one alone.
  case weak
}

/// Where the time of a step on several ranks went. The parts add up to the whole.
public struct ScalingResult: Sendable, Codable {
  public let scaling: Scaling
  public let ranks: Int
  public let hosts: Int
  /// Sequences and virtual shards, over all ranks.
  public let batch: Int
  public let shards: Int
  /// The median step, of the slowest rank.
  public let secondsPerStep: Double
  /// Forward and backward, the mean over ranks.
  public let computeSeconds: Double
  /// How much longer the slowest rank took for that.
  public let lateSeconds: Double
  /// The wait for the sum of the gradients, without that.
  public let reductionSeconds: Double
  /// Scaling, clipping and the optimizer.
  public let optimizerSeconds: Double
  public let otherSeconds: Double
  /// How often more sequences per second than one rank.
  public let speedup: Double
  /// The speed-up over the ranks.
  public let efficiency: Double
}

/// What the model says of a step on so many ranks.
public struct ScalingPrediction: Sendable, Codable {
  public let scaling: Scaling
  public let ranks: Int
  public let hosts: Int
  /// The step and what it is the sum of: a step of one rank with its share of the batch, and the
  /// sum over the ranks.
  public let predictedSecondsPerStep: Double
  public let aloneSeconds: Double
  public let reductionSeconds: Double
  /// Over the measured step of one rank.
  public let efficiency: Double
}
