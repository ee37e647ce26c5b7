// SPDX-License-Identifier: Apache-2.0

import Tensors

extension Tensor where Scalar: KernelScalar {
  /// Writes x·m to this tensor. The mask m [N, H] is used for all steps of x [T, N, H], or it has
  /// the size of x. x may be this tensor.
  @specialized(where Scalar == Float)
  public func setProduct(of x: Tensor, repeating mask: Tensor) {
    let width = mask.count
    precondition(
      x.count == count && (width > 0 ? count % width == 0 : count == 0),
      "a mask \(mask.shape) for \(x.shape) into \(shape)")
    guard count > 0 else { return }
    let (y, x, m) = (pointer, x.pointer, mask.pointer)
    for start in stride(from: 0, to: count, by: width) {
      for j in 0..<width { y[start + j] = x[start + j] * m[j] }
    }
  }

  /// Multiplies every element.
  @specialized(where Scalar == Float)
  public func multiply(by factor: Scalar) {
    let y = pointer
    for index in 0..<count { y[index] *= factor }
  }

  /// Adds c·x.
  @specialized(where Scalar == Float)
  public func add(_ x: Tensor, scale c: Scalar) {
    precondition(x.count == count, "\(x.shape) to \(shape)")
    let (y, x) = (pointer, x.pointer)
    for index in 0..<count { y[index] += c * x[index] }
  }

  /// Σ self·x, summed in Double from the first to the last.
  @specialized(where Scalar == Float)
  public func dot(_ x: Tensor) -> Scalar {
    precondition(x.count == count, "\(x.shape) times \(shape)")
    let (y, x) = (pointer, x.pointer)
    var sum = 0.0
    for index in 0..<count { sum += Double(y[index]) * Double(x[index]) }
    return Scalar(sum)
  }

  /// Adds the gradient of c·Σ_t ‖x_{t+1} - x_t‖² over the rows x_t of `x`.
  @specialized(where Scalar == Float)
  public func addDifferenceGradient(of x: Tensor, scale c: Scalar) {
    precondition(x.shape == shape && shape.count >= 1, "\(x.shape) to \(shape)")
    let width = shape.dropFirst().reduce(1, *)
    let (dx, x) = (pointer, x.pointer)
    for index in 0..<max(count - width, 0) {
      let slope = 2 * c * (x[index + width] - x[index])
      dx[index + width] += slope
      dx[index] -= slope
    }
  }
}
