// SPDX-License-Identifier: Apache-2.0

/// Sums over the frames of a part, per bin. They give the normalisation and the two baselines of
/// predicting the next frame, without a second pass over the frames.
///
/// The baselines are on normalised features, over the frames to predict, which are 1 ..< F of every
/// utterance:
///
///     persistence     mean of ((x_t - x_{t-1}) / σ)²
///     utterance mean  mean of ((x_t - x̄) / σ)²,  x̄ the mean of x_1 ... x_{F-1}
public struct FrameStatistics: Sendable {
  /// How many numbers a frame has.
  public let bins: Int
  /// The number of frames.
  public private(set) var frames = 0
  /// The number of frames to predict, all but the first of each utterance.
  public private(set) var predicted = 0
  private var sum: [Double]
  private var squares: [Double]
  private var persistence: [Double]
  private var aroundMean: [Double]

  public init(bins: Int) {
    self.bins = bins
    sum = Array(repeating: 0, count: bins)
    (squares, persistence, aroundMean) = (sum, sum, sum)
  }

  /// Adds the frames [F, bins] of one utterance.
  public mutating func add(_ rows: [Float]) {
    let count = rows.count / bins
    frames += count
    predicted += max(count - 1, 0)
    for bin in 0..<bins {
      var (later, laterSquares) = (0.0, 0.0)
      var previous = Double(rows[bin])
      sum[bin] += previous
      squares[bin] += previous * previous
      for frame in 1..<max(count, 1) {
        let value = Double(rows[frame * bins + bin])
        later += value
        laterSquares += value * value
        persistence[bin] += (value - previous) * (value - previous)
        previous = value
      }
      sum[bin] += later
      squares[bin] += laterSquares
      aroundMean[bin] += laterSquares - later * later / Double(max(count - 1, 1))
    }
  }

  /// The mean of each bin.
  public var mean: [Double] { sum.map { $0 / Double(frames) } }

  /// The standard deviation of each bin, 1 where it never changes.
  public var deviation: [Double] {
    zip(squares, mean).map { squares, mean in
      let variance = squares / Double(frames) - mean * mean
      return variance > 1e-12 ? variance.squareRoot() : 1
    }
  }

  /// The error per element of predicting each frame by the one before.
  public func persistenceError(deviation: [Double]) -> Double {
    error(persistence, deviation)
  }

  /// The error per element of predicting each frame by the mean of its utterance.
  public func utteranceMeanError(deviation: [Double]) -> Double {
    error(aroundMean, deviation)
  }

  private func error(_ sums: [Double], _ deviation: [Double]) -> Double {
    let total = zip(sums, deviation).reduce(0) { $0 + $1.0 / ($1.1 * $1.1) }
    return total / Double(predicted * bins)
  }
}
