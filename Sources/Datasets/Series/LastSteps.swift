// SPDX-License-Identifier: Apache-2.0

import Tensors

/// The last steps of each sequence of another source.
public final class LastSteps: SequenceSourceWrapper {
  public let base: any SequenceSource
  private let most: Int

  public var steps: Int { min(base.steps, most) }

  public init(_ base: any SequenceSource, atMost steps: Int) { (self.base, most) = (base, steps) }

  public func length(of index: Int) -> Int { min(base.length(of: index), most) }

  public func read(
    _ indices: ArraySlice<Int>, into x: Tensor<Float>
  ) throws(DatasetError) -> SequenceTargets {
    let (N, C) = (indices.count, features)
    let longest = indices.map { base.length(of: $0) }.max() ?? 0
    let whole = Tensor<Float>(shape: [longest, N, C])
    let targets = try base.read(indices, into: whole)
    x.fill(0)
    for (n, index) in indices.enumerated() {
      let (length, skipped) = (length(of: index), base.length(of: index) - length(of: index))
      for t in 0..<length {
        for c in 0..<C { x[(t * N + n) * C + c] = whole[((t + skipped) * N + n) * C + c] }
      }
    }
    return targets
  }

  public func readTimes(
    _ indices: ArraySlice<Int>, into times: Tensor<Double>
  ) throws(DatasetError) {
    let (T, N) = (times.shape[0], indices.count)
    let whole = Tensor<Double>(shape: [indices.map { base.length(of: $0) }.max() ?? 0, N])
    try base.readTimes(indices, into: whole)
    for (n, index) in indices.enumerated() {
      let (own, length) = (base.length(of: index), length(of: index))
      for t in 0..<T {
        times[t * N + n] = whole[(own - length + min(t, length - 1)) * N + n]
      }
    }
  }
}
