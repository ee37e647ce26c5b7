// SPDX-License-Identifier: Apache-2.0

import Tensors

/// A source that changes some of the values of another source. Members that it does not define come
/// from the other source, so a wrapper cannot forget lengths or times.
public protocol SequenceSourceWrapper: SequenceSource {
  /// The other source.
  var base: any SequenceSource { get }
}

extension SequenceSourceWrapper {
  public var count: Int { base.count }
  public var steps: Int { base.steps }
  public var features: Int { base.features }
  public var targetKind: TargetKind { base.targetKind }
  public var classNames: [String]? { base.classNames }
  public var notes: [String] { base.notes }
  public var map: [Int]? { base.map }
  public var hasTimes: Bool { base.hasTimes }
  public var isReady: Bool { base.isReady }

  public func length(of index: Int) -> Int { base.length(of: index) }

  public func enter(epoch: Int?) { base.enter(epoch: epoch) }

  public func openTimes() throws(DatasetError) { try base.openTimes() }

  public func readTimes(
    _ indices: ArraySlice<Int>, into times: Tensor<Double>
  ) throws(DatasetError) {
    try base.readTimes(indices, into: times)
  }

  public func prefetch(_ indices: ArraySlice<Int>) throws(DatasetError) {
    try base.prefetch(indices)
  }

  public func identity() throws(DatasetError) -> DataIdentity.Part { try base.identity() }
}
