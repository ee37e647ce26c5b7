// SPDX-License-Identifier: Apache-2.0

import Kernels
import Tensors

/// Gradient descent scaled by a running root mean square (Tieleman and Hinton, 2012).
///
///     g ← g + λ w
///     v ← α v + (1-α) g²
///     s = √(v - a²) if centered, with a ← α a + (1-α) g, else √v
///     w ← w - η g / (s + ε)          without momentum
///     b ← m b + g / (s + ε), w ← w - η b   with it
///
/// ε is outside the root, as in `torch.optim.RMSprop`.
public struct RMSProp: UpdateRule {
  /// α, the decay of both averages.
  public var alpha: Double
  /// ε.
  public var epsilon: Double
  /// m; 0 keeps no b.
  public var momentum: Double
  /// Whether the square of the mean gradient a is subtracted.
  public var isCentered: Bool
  /// λ.
  public var weightDecay: Double

  public init(
    alpha: Double = 0.99, epsilon: Double = 1e-8, momentum: Double = 0, centered: Bool = false,
    weightDecay: Double = 0
  ) {
    self.alpha = alpha
    self.epsilon = epsilon
    self.momentum = momentum
    isCentered = centered
    self.weightDecay = weightDecay
  }

  public var name: String { "rmsprop" }
  public var slots: [String] {
    ["square_avg"] + (isCentered ? ["grad_avg"] : []) + (momentum > 0 ? ["momentum_buffer"] : [])
  }

  @specialized(where Scalar == Float)
  public func update<Scalar: KernelScalar>(
    _ w: Tensor<Scalar>, gradients: Tensor<Scalar>, slots: [Tensor<Scalar>],
    learningRate: Double, step: Int
  ) {
    let (rate, decay) = (Scalar(learningRate), Scalar(weightDecay))
    let (alpha, fresh) = (Scalar(self.alpha), Scalar(1 - self.alpha))
    let (epsilon, m) = (Scalar(self.epsilon), Scalar(momentum))
    // For a slot that a variant does not have, the first slot is passed, and nothing is written to
    // it.
    let mean = isCentered ? slots[1] : slots[0]
    let buffer = momentum > 0 ? slots[slots.count - 1] : slots[0]
    let (isCentered, hasMomentum) = (self.isCentered, momentum > 0)
    let square = slots[0]
    w.withMutableSpan { w in
      gradients.withSpan { gradients in
        for i in 0..<w.count {
          let g = gradients[i] + decay * w[i]
          let v = alpha * square[i] + fresh * g * g
          square[i] = v
          var scale = v
          if isCentered {
            let a = mean[i] + fresh * (g - mean[i])
            mean[i] = a
            scale = v - a * a
          }
          var direction = g / (scale.squareRoot() + epsilon)
          if hasMomentum {
            direction += m * buffer[i]
            buffer[i] = direction
          }
          w[i] -= rate * direction
        }
      }
    }
  }
}
