// SPDX-License-Identifier: Apache-2.0

import Tensors

// The input gradient of a convolution as a convolution of dy:
//
//     dx[y, x, c] = Σ_{ky, kx, m} dy[y + top - ky, x + left - kx, m] W[m, ky, kx, c]

extension ImageWindows {
  /// The windows of dy that give dx; nil if the stride or the enlargement is not 1.
  ///
  /// - Parameter M: the channels of dy
  public func adjoint(channels M: Int) -> ImageWindows? {
    stride == 1 && enlargement == 1 ? ImageWindows(adjointOf: self, channels: M) : nil
  }

  /// The matching weight: W [M, K K C] rotated by 180°, with inputs and outputs exchanged, [C, K K
  /// M].
  public func turned<Scalar: KernelScalar>(_ weight: Tensor<Scalar>) -> Tensor<Scalar> {
    let (M, C, places) = (weight.shape[0], input.channels, kernel * kernel)
    precondition(weight.count == M * length, "\(weight.shape) for windows of \(length)")
    let turned = Tensor<Scalar>(shape: [C, places * M])
    for m in 0..<M {
      for place in 0..<places {
        for c in 0..<C {
          turned[(c * places + places - 1 - place) * M + m] = weight[(m * places + place) * C + c]
        }
      }
    }
    return turned
  }
}
