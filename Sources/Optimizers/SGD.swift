// SPDX-License-Identifier: Apache-2.0

import Kernels
import Tensors

/// Stochastic gradient descent, with heavy-ball or Nesterov momentum.
///
///     g ← g + λ w
///     b_1 = g,  b_t = m b_{t-1} + (1 - damping) g
///     w ← w - η (g + m b_t   if nesterov, else b_t)
///
/// Sutskever et al., 2013, in the form of `torch.optim.SGD`.
public struct SGD: UpdateRule {
  /// m; 0 keeps no b.
  public var momentum: Double
  /// The share of each new gradient that is not added to b.
  public var dampening: Double
  /// Whether the step looks ahead along b (Nesterov).
  public var isNesterov: Bool
  /// λ.
  public var weightDecay: Double

  public init(
    momentum: Double = 0, dampening: Double = 0, nesterov: Bool = false, weightDecay: Double = 0
  ) {
    self.momentum = momentum
    self.dampening = dampening
    isNesterov = nesterov
    self.weightDecay = weightDecay
  }

  public var name: String { "sgd" }
  public var slots: [String] { momentum == 0 ? [] : ["momentum_buffer"] }
  public var canStartAveraging: Bool { true }

  @specialized(where Scalar == Float)
  public func update<Scalar: KernelScalar>(
    _ w: Tensor<Scalar>, gradients: Tensor<Scalar>, slots: [Tensor<Scalar>],
    learningRate: Double, step: Int
  ) {
    let (rate, decay) = (Scalar(learningRate), Scalar(weightDecay))
    let m = Scalar(momentum)
    let fresh = step == 1 ? 1 : Scalar(1 - dampening)
    w.withMutableSpan { w in
      gradients.withSpan { gradients in
        guard let buffer = slots.first else {
          for i in 0..<w.count { w[i] -= rate * (gradients[i] + decay * w[i]) }
          return
        }
        buffer.withMutableSpan { b in
          for i in 0..<w.count {
            let g = gradients[i] + decay * w[i]
            b[i] = m * b[i] + fresh * g
            w[i] -= rate * (isNesterov ? g + m * b[i] : b[i])
          }
        }
      }
    }
  }
}
