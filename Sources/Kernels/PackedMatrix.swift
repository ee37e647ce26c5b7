import Tensors

/// A matrix for many products with it.
public struct PackedMatrix<Scalar: KernelScalar> {
  private let weight: Tensor<Scalar>
  private let transposed: Bool

  /// - Parameter weight: W [outputs, inputs]
  public init(_ weight: Tensor<Scalar>, transposed: Bool = false) {
    self.weight = weight
    self.transposed = transposed
  }

  /// y = x Wᵀ + b, or x W + b where the matrix was transposed. By OpenBLAS for now, whose rows may
  /// depend on each other.
  public func multiply(
    _ x: Tensor<Scalar>, adding bias: Tensor<Scalar>? = nil, into y: Tensor<Scalar>
  ) {
    matrixProduct(x, weight, transposeB: !transposed, into: y)
    if let bias { y.addToEachRow(bias) }
  }
}
