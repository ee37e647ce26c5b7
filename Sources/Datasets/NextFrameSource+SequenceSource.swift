// SPDX-License-Identifier: Apache-2.0

import Tensors

/// The target is each frame of an utterance, given the frames before it.
extension NextFrameSource: SequenceSource {
  public var targetKind: TargetKind { .frames(features) }

  public func read(
    _ indices: ArraySlice<Int>, into x: Tensor<Float>
  ) throws(DatasetError) -> SequenceTargets {
    let targets = Tensor<Float>(shape: x.shape)
    try read(indices, steps: x.shape[0], into: x, targets: targets)
    return SequenceTargets(targetKind, numbers: targets.array)
  }
}
