// SPDX-License-Identifier: Apache-2.0

import RandomNumbers
import Tensors

/// Some of the sequences of another source. Its identity is that of the whole, because the number
/// of sequences determines which they are.
public struct SubsetSource: SequenceSourceWrapper {
  public let base: any SequenceSource
  /// Their indices in the other source.
  public let indices: [Int]

  public init(_ base: any SequenceSource, indices: [Int]) {
    self.base = base
    self.indices = indices
  }

  public var count: Int { indices.count }

  public func length(of index: Int) -> Int { base.length(of: indices[index]) }

  public func read(
    _ indices: ArraySlice<Int>, into x: Tensor<Float>
  ) throws(DatasetError) -> SequenceTargets {
    try base.read(indices.map { self.indices[$0] }[...], into: x)
  }

  public func readTimes(
    _ indices: ArraySlice<Int>, into times: Tensor<Double>
  ) throws(DatasetError) {
    try base.readTimes(indices.map { self.indices[$0] }[...], into: times)
  }

  public func prefetch(_ indices: ArraySlice<Int>) throws(DatasetError) {
    try base.prefetch(indices.map { self.indices[$0] }[...])
  }

  /// Splits a source into two at random. The split is the same in every run, and the second part
  /// has `count` sequences. Neither the run's seed nor the rank count changes the split, so that
  /// results of different seeds are comparable.
  public static func split(
    _ base: any SequenceSource, holdingOut count: Int
  ) -> (rest: SubsetSource, heldOut: SubsetSource) {
    var stream = RandomStream(seed: 0, purpose: .validationSplit)
    let order = stream.permutation(base.count)
    return (
      SubsetSource(base, indices: order[count...].sorted()),
      SubsetSource(base, indices: order[..<count].sorted())
    )
  }
}
