import Tensors

extension Tensor where Scalar: KernelScalar {
  /// Writes max(x, 0) in the place of every x.
  @specialized(where Scalar == Float)
  public func rectify() {
    let x = pointer
    for index in 0..<count { x[index] = x[index] > 0 ? x[index] : 0 }
  }

  /// Sets to 0 what belongs to an output y that is not above 0: the adjoint of `rectify`.
  @specialized(where Scalar == Float)
  public func clearGradient(whereNotPositive y: Tensor) {
    precondition(y.count == count, "\(y.shape) for \(shape)")
    let (d, y) = (pointer, y.pointer)
    for index in 0..<count { d[index] = y[index] > 0 ? d[index] : 0 }
  }

  /// Multiplies every element.
  @specialized(where Scalar == Float)
  public func multiply(by factor: Scalar) {
    for index in 0..<count { pointer[index] *= factor }
  }
}
