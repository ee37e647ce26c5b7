// SPDX-License-Identifier: Apache-2.0

import Tensors

/// Sequences in memory without known targets, as a model reads them.
public final class PlainSequences: SequenceSource {
  public let count: Int
  public let steps: Int
  public let features: Int
  public let targetKind: TargetKind
  public let notes: [String]
  public var hasTimes: Bool { times != nil }

  private let values: [Float]
  /// The first step of each sequence, and the end of the last.
  private let starts: [Int]
  private let times: [Double]?
  /// The position in a sequence of the k-th number of the view; nil means in order.
  private let order: [Int]?

  /// - Parameters:
  ///   - sequences: the sequences
  ///   - kind: the kind of the model's targets
  ///   - view: views of single numbers, such as pixels, need sequences of one length
  ///   - pixelOrder: the order of the permuted view
  public init(
    _ sequences: UnlabelledSequences, kind: TargetKind, view: SequenceView = .rows,
    pixelOrder: PixelOrder = .seed(1)
  ) throws(DatasetError) {
    values = sequences.values
    targetKind = kind
    notes = sequences.notes
    count = sequences.lengths.count
    guard view == .pixels || view == .permuted else {
      features = sequences.features
      times = sequences.times
      starts = sequences.lengths.reduce(into: [0]) { $0.append($0.last! + $1) }
      steps = sequences.lengths.max() ?? 0
      order = nil
      return
    }
    let pixels = sequences.lengths[0] * sequences.features
    guard Set(sequences.lengths).count == 1 else {
      throw DatasetError(
        sequences.path, "has sequences of unequal lengths, which are not images",
        cure: "give images of one size")
    }
    (features, steps) = (1, pixels)
    starts = (0...count).map { $0 * pixels }
    times = view == .pixels && sequences.features == 1 ? sequences.times : nil
    order = view == .permuted ? try pixelOrder.indices(of: pixels) : nil
  }

  public func length(of index: Int) -> Int { starts[index + 1] - starts[index] }

  public func read(
    _ indices: ArraySlice<Int>, into x: Tensor<Float>
  ) throws(DatasetError) -> SequenceTargets {
    let (T, N, C) = (x.shape[0], indices.count, features)
    precondition(x.shape == [T, N, C], "a buffer of \(x.shape) for [\(T), \(N), \(C)]")
    x.withMutableSpan { x in
      for (n, index) in indices.enumerated() {
        let (start, length) = (starts[index] * C, length(of: index))
        for t in 0..<T {
          for c in 0..<C {
            let place = order?[t * C + c] ?? (t * C + c)
            x[(t * N + n) * C + c] = t < length ? values[start + place] : 0
          }
        }
      }
    }
    return .zeros(targetKind, sequences: N, steps: T)
  }

  public func readTimes(
    _ indices: ArraySlice<Int>, into times: Tensor<Double>
  ) throws(DatasetError) {
    let (T, N) = (times.shape[0], indices.count)
    for (n, index) in indices.enumerated() {
      for t in 0..<T {
        times[t * N + n] = self.times![starts[index] + min(t, length(of: index) - 1)]
      }
    }
  }
}

/// Sequences whose numbers are normalised when they are read: (s x - mean) / deviation.
public final class NormalisedSequences: SequenceSourceWrapper {
  public let base: any SequenceSource
  private let scaling: Float
  private let statistics: (mean: [Double], deviation: [Double])?

  /// - Parameters:
  ///   - base: the sequences to normalise
  ///   - scaling: s
  ///   - statistics: the mean and deviation [C]; nil leaves s x
  public init(
    _ base: any SequenceSource, scaling: Double,
    statistics: (mean: [Double], deviation: [Double])?
  ) {
    precondition(
      statistics.map { $0.mean.count == base.features && $0.deviation.count == base.features }
        ?? true, "statistics of another number of features than \(base.features)")
    self.base = base
    self.scaling = Float(scaling)
    self.statistics = statistics
  }

  public func read(
    _ indices: ArraySlice<Int>, into x: Tensor<Float>
  ) throws(DatasetError) -> SequenceTargets {
    let targets = try base.read(indices, into: x)
    let (T, N, C) = (x.shape[0], indices.count, features)
    x.withMutableSpan { x in
      for (n, index) in indices.enumerated() {
        // Zeros beyond the end of a sequence remain zeros.
        for t in 0..<min(T, length(of: index)) {
          for c in 0..<C {
            let place = (t * N + n) * C + c
            let value = scaling == 1 ? x[place] : x[place] * scaling
            // The arithmetic of `prepare`, so that raw and prepared inputs have the same bits.
            x[place] =
              statistics.map { Float((Double(value) - $0.mean[c]) / $0.deviation[c]) } ?? value
          }
        }
      }
    }
    return targets
  }
}
