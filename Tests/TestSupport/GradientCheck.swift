// SPDX-License-Identifier: Apache-2.0

import Tensors
import Testing

/// Compares a gradient with central differences of a loss, element by element, in Double.
///
///     dL/dw_i ≈ (L(w + h e_i) - L(w - h e_i)) / 2h
///
/// - Parameters:
///   - values: the tensor to vary; restored afterwards
///   - gradient: the gradient to check
///   - loss: L with the tensor as it is
public func checkGradient(
  _ name: String, of values: Tensor<Double>, gradient: [Double], step: Double = 1e-5,
  tolerance: Double = 1e-6, sourceLocation: SourceLocation = #_sourceLocation,
  loss: () -> Double
) {
  for index in 0..<values.count {
    let original = values[index]
    values[index] = original + step
    let above = loss()
    values[index] = original - step
    let below = loss()
    values[index] = original
    let numeric = (above - below) / (2 * step)
    guard abs(numeric - gradient[index]) <= tolerance * max(1, abs(numeric)) else {
      Issue.record(
        "\(name)[\(index)]: gradient \(gradient[index]), central difference \(numeric)",
        sourceLocation: sourceLocation)
      return
    }
  }
}
