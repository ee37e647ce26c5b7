// SPDX-License-Identifier: Apache-2.0

import Kernels
import Tensors

/// The Euclidean norm of a whole gradient buffer, summed in Double from first to last.
@specialized(where Scalar == Float)
public func norm<Scalar: KernelScalar>(of gradients: Tensor<Scalar>) -> Double {
  gradients.withSpan { gradients in
    // Eight running sums, always combined in the same order, let the loop use vector registers.
    var sums = SIMD8<Double>()
    let whole = gradients.count - gradients.count % 8
    for start in stride(from: 0, to: whole, by: 8) {
      for lane in 0..<8 {
        let value = Double(gradients[start + lane])
        sums[lane] += value * value
      }
    }
    var total = sums.sum()
    for index in whole..<gradients.count {
      total += Double(gradients[index]) * Double(gradients[index])
    }
    return total.squareRoot()
  }
}

/// Scales a gradient buffer so that its norm is at most `limit`, like PyTorch's `clip_grad_norm_`.
///
///     g ← g · min(1, limit / (‖g‖ + 1e-6))
///
/// - Returns: the norm before scaling
@specialized(where Scalar == Float)
@discardableResult
public func clipNorm<Scalar: KernelScalar>(
  of gradients: Tensor<Scalar>, to limit: Double
) -> Double {
  let before = norm(of: gradients)
  let coefficient = limit / (before + 1e-6)
  if coefficient < 1 { scale(gradients, by: Scalar(coefficient)) }
  return before
}

/// Multiplies every element.
@specialized(where Scalar == Float)
public func scale<Scalar: KernelScalar>(_ gradients: Tensor<Scalar>, by factor: Scalar) {
  gradients.withMutableSpan { gradients in
    for index in 0..<gradients.count { gradients[index] *= factor }
  }
}
