// SPDX-License-Identifier: Apache-2.0

import KernelInterface
import RandomNumbers
import Tensors

extension Tensor where Scalar: KernelScalar {
  /// Fills the factors of a dropout: 0 with probability p, else 1 / (1 - p), so that the mean is 1.
  ///
  /// - Parameters:
  ///   - stream: gives one word per factor; none of its words has been used
  ///   - p: at least 0 and below 1
  public func fillDropout(_ p: Double, from stream: RandomStream) {
    precondition(p >= 0 && p < 1, "a dropout probability of \(p)")
    let start = stream.start
    Scalar.kernels(on: .current).fillDropout(
      DropoutCall(
        counter: start.counter, key: start.key, limit: UInt32(p * 0x1p32),
        kept: Scalar(1 / (1 - p)), count: count, factors: pointer))
  }
}
