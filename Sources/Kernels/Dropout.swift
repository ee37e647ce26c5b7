// SPDX-License-Identifier: Apache-2.0

import KernelInterface
import RandomNumbers
import Tensors

extension Tensor where Scalar: KernelScalar {
  /// Draws the factors of a dropout: 0 with probability p, and 1 / (1 - p) otherwise, so that the
  /// mean is 1.
  ///
  /// - Parameters:
  ///   - p: the probability of 0, at least 0 and below 1
  ///   - stream: the random numbers, one word per factor; no word of it may have been used
  public func fillDropout(_ p: Double, from stream: RandomStream) {
    precondition(p >= 0 && p < 1, "a dropout probability of \(p)")
    let start = stream.start
    Scalar.kernels(on: .current).fillDropout(
      DropoutCall(
        counter: start.counter, key: start.key, limit: UInt32(p * 0x1p32),
        kept: Scalar(1 / (1 - p)), count: count, factors: pointer))
  }
}
