// SPDX-License-Identifier: Apache-2.0

import KernelInterface
import Tensors

/// A matrix that is packed once for many products.
///
/// The result of a row has the same bits regardless of the other rows of a product.
public struct PackedMatrix<Scalar: KernelScalar> {
  /// K and M of the products: y [rows, M] = x [rows, K] Wᵀ.
  private let depth: Int
  private let columns: Int
  private let packed: Tensor<Scalar>
  private let kernels: any LayerKernels<Scalar>.Type

  private let isTransposed: Bool

  /// Packs for the current backend.
  ///
  /// - Parameters:
  ///   - weight: W [outputs, inputs]
  ///   - transposed: whether to pack the transpose of W
  public init(_ weight: Tensor<Scalar>, transposed: Bool = false) {
    precondition(
      weight.shape.count == 2 && weight.count > 0, "a matrix of shape \(weight.shape) to pack")
    isTransposed = transposed
    (columns, depth) = Self.size(weight, transposed)
    kernels = Scalar.kernels(on: .current)
    packed = Tensor(shape: [kernels.packedCount(depth: depth, columns: columns)])
    arrange(weight)
  }

  /// Packs another matrix of the same kind, into the same memory if it fits: weights change with
  /// every optimizer step, but their shapes do not.
  public mutating func pack(_ weight: Tensor<Scalar>) {
    let isFitting =
      Self.size(weight, isTransposed) == (columns, depth)
      && ObjectIdentifier(kernels) == ObjectIdentifier(Scalar.kernels(on: .current))
    if isFitting {
      arrange(weight)
    } else {
      self = PackedMatrix(weight, transposed: isTransposed)
    }
  }

  /// The columns and the depth of products with a weight.
  private static func size(_ weight: Tensor<Scalar>, _ transposed: Bool) -> (Int, Int) {
    transposed ? (weight.shape[1], weight.shape[0]) : (weight.shape[0], weight.shape[1])
  }

  private func arrange(_ weight: Tensor<Scalar>) {
    kernels.pack(
      PackCall(
        depth: depth, columns: columns, source: UnsafePointer(weight.pointer),
        isTransposed: isTransposed, target: packed.pointer))
  }

  /// y = x Wᵀ + b, or x W + b if the matrix was transposed.
  ///
  /// - Parameters:
  ///   - x: [rows, K]
  ///   - bias: [M]; nil is zero
  ///   - y: [rows, M], overwritten; must not share the memory of x
  public func multiply(
    _ x: Tensor<Scalar>, adding bias: Tensor<Scalar>? = nil, into y: Tensor<Scalar>
  ) {
    precondition(
      bias == nil || bias!.count == columns, "a bias of \(bias!.shape) for \(columns) columns")
    multiply(x, bias: bias, y, isAdding: false)
  }

  /// y += x Wᵀ, or x W if the matrix was transposed. The sums start from y, so there is no extra
  /// rounding.
  ///
  /// - Parameters:
  ///   - x: [rows, K]
  ///   - y: [rows, M]; must not share the memory of x
  public func multiply(_ x: Tensor<Scalar>, addingTo y: Tensor<Scalar>) {
    multiply(x, bias: nil, y, isAdding: true)
  }

  private func multiply(
    _ x: Tensor<Scalar>, bias: Tensor<Scalar>?, _ y: Tensor<Scalar>, isAdding: Bool
  ) {
    let rows = x.shape[0]
    precondition(
      x.count == rows * depth && y.shape[0] == rows && y.count == rows * columns,
      "\(x.shape) times a matrix of \(depth) x \(columns) does not give \(y.shape)")
    kernels.multiply(
      PackedProductCall(
        rows: rows, depth: depth, columns: columns, packed: UnsafePointer(packed.pointer),
        x: UnsafePointer(x.pointer), bias: bias.map { UnsafePointer($0.pointer) }, y: y.pointer,
        isAdding: isAdding))
  }

  /// The convolution of a padded map; see `PaddedMap`.
  func convolve(
    _ grid: WindowGrid, _ map: UnsafePointer<Scalar>, bias: Tensor<Scalar>?,
    _ y: (pointer: UnsafeMutablePointer<Scalar>, columns: Int), isAdding: Bool
  ) {
    precondition(
      grid.depth == depth && y.columns == columns && (bias == nil || bias!.count == columns),
      "windows of \(grid.depth) numbers to \(y.columns) channels by a matrix of"
        + " \(depth) x \(columns)")
    kernels.convolve(
      ConvolutionCall(
        grid, columns: columns, packed: UnsafePointer(packed.pointer), map: map,
        bias: bias.map { UnsafePointer($0.pointer) }, y: y.pointer, isAdding: isAdding))
  }
}
