// SPDX-License-Identifier: Apache-2.0

import Kernels
import Tensors

#if canImport(Glibc)
  import Glibc
#endif

/// Adam (Kingma and Ba, 2015), AMSGrad (Reddi et al., 2018) and AdamW (Loshchilov and Hutter,
/// 2019) in the forms of `torch.optim`.
///
///     Adam:  g ← g + λ w            AdamW:  w ← (1 - η λ) w
///     m ← β₁ m + (1-β₁) g,   v ← β₂ v + (1-β₂) g²
///     w ← w - η/(1-β₁ᵗ) · m / (√v/√(1-β₂ᵗ) + ε)
///
/// AMSGrad uses the largest v so far instead of v.
public struct Adam: UpdateRule {
  /// β₁, the decay of the first moment.
  public var beta1: Double
  /// β₂, the decay of the second moment.
  public var beta2: Double
  /// ε.
  public var epsilon: Double
  /// λ.
  public var weightDecay: Double
  /// Whether the largest v so far is used.
  public var isAMSGrad: Bool
  /// Whether weight decay acts on the weights (AdamW) or on the gradient (Adam).
  public var isDecoupled: Bool

  public init(
    beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8, weightDecay: Double = 0,
    amsgrad: Bool = false, decoupled: Bool = false
  ) {
    self.beta1 = beta1
    self.beta2 = beta2
    self.epsilon = epsilon
    self.weightDecay = weightDecay
    isAMSGrad = amsgrad
    isDecoupled = decoupled
  }

  public var name: String { isDecoupled ? "adamw" : "adam" }
  public var slots: [String] {
    ["exp_avg", "exp_avg_sq"] + (isAMSGrad ? ["max_exp_avg_sq"] : [])
  }

  @specialized(where Scalar == Float)
  public func update<Scalar: KernelScalar>(
    _ w: Tensor<Scalar>, gradients: Tensor<Scalar>, slots: [Tensor<Scalar>],
    learningRate: Double, step: Int
  ) {
    let rate = Scalar(learningRate / (1 - pow(beta1, Double(step))))
    let root = Scalar((1 - pow(beta2, Double(step))).squareRoot())
    let (b1, b2) = (Scalar(beta1), Scalar(beta2))
    let (fresh1, fresh2) = (Scalar(1 - beta1), Scalar(1 - beta2))
    let epsilon = Scalar(self.epsilon)
    let keep = isDecoupled ? Scalar(1 - learningRate * weightDecay) : 1
    let decay = isDecoupled ? 0 : Scalar(weightDecay)
    let (mean, square, largest) = (slots[0], slots[1], slots[slots.count - 1])
    let isAMSGrad = self.isAMSGrad
    w.withMutableSpan { w in
      gradients.withSpan { gradients in
        for i in 0..<w.count {
          let old = w[i] * keep
          let g = gradients[i] + decay * old
          let m = b1 * mean[i] + fresh1 * g
          var v = b2 * square[i] + fresh2 * g * g
          mean[i] = m
          square[i] = v
          if isAMSGrad {
            v = max(largest[i], v)
            largest[i] = v
          }
          w[i] = old - rate * m / (v.squareRoot() / root + epsilon)
        }
      }
    }
  }
}
