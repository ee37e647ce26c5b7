// SPDX-License-Identifier: Apache-2.0

import Gzip
import Tensors

extension SequenceSource {
  /// The CRC-32 of the inputs and targets that `read` returns for one sequence: the numbers that
  /// training sees, after scaling, normalisation and permutation.
  ///
  /// - Parameters:
  ///   - index: the index of the sequence
  ///   - withTimes: whether the times are part of it; they must be open
  public func checksum(
    of index: Int, withTimes: Bool = false
  ) throws(DatasetError) -> UInt32 {
    let x = Tensor<Float>(shape: [length(of: index), 1, features])
    let targets = try read([index][...], into: x)
    var sums = [x.withSpan { CRC32.of($0) }, targets.checksum]
    if withTimes {
      let times = Tensor<Double>(shape: [length(of: index), 1])
      try readTimes([index][...], into: times)
      sums.append(times.withSpan { CRC32.of($0) })
    }
    return CRC32.of(sums.span)
  }
}

extension SequenceTargets {
  fileprivate var checksum: UInt32 {
    kind.answer == .numbers ? CRC32.of(numbers.span) : CRC32.of(whole.span)
  }
}
