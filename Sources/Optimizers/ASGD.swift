// SPDX-License-Identifier: Apache-2.0

import Kernels
import Tensors

#if canImport(Glibc)
  import Glibc
#endif

/// Averaged stochastic gradient descent (Polyak and Juditsky, 1992) in the form of
/// `torch.optim.ASGD`.
///
///     g ← g + λ w
///     w ← (1 - Λ η_t) w - η_t g,          η_t = η / (1 + Λ η (t-1))^α,  η_1 = η
///     ax_t = w_t if t ≤ t₀ + 2, else ax_{t-1} + (w_t - ax_{t-1}) / (t - 1 - t₀)
///
/// The average is in the slot `ax`, and starts at the second step after t₀, as in PyTorch.
public struct ASGD: UpdateRule {
  /// Λ, the decay term of the step itself.
  public var lambda: Double
  /// α, the power of the decay of η.
  public var alpha: Double
  /// t₀, the step from which averages are taken.
  public var start: Double
  /// λ.
  public var weightDecay: Double

  public init(
    lambda: Double = 1e-4, alpha: Double = 0.75, start: Double = 1e6, weightDecay: Double = 0
  ) {
    self.lambda = lambda
    self.alpha = alpha
    self.start = start
    self.weightDecay = weightDecay
  }

  public var name: String { "asgd" }
  public var slots: [String] { ["ax"] }
  public var evaluatedSlot: String? { slots[0] }

  @specialized(where Scalar == Float)
  public func update<Scalar: KernelScalar>(
    _ w: Tensor<Scalar>, gradients: Tensor<Scalar>, slots: [Tensor<Scalar>],
    learningRate: Double, step: Int
  ) {
    // PyTorch computes η and μ at the end of a step for the next one.
    let before = Double(step - 1)
    let etaNow = learningRate / pow(1 + lambda * learningRate * before, alpha)
    let eta = Scalar(etaNow)
    let keep = Scalar(1 - lambda * etaNow)
    let mu = Scalar(1 / max(1, before - start))
    let decay = Scalar(weightDecay)
    let average = slots[0]
    w.withMutableSpan { w in
      gradients.withSpan { gradients in
        for i in 0..<w.count {
          let g = gradients[i] + decay * w[i]
          w[i] = w[i] * keep - eta * g
          average[i] = mu == 1 ? w[i] : average[i] + mu * (w[i] - average[i])
        }
      }
    }
  }
}
