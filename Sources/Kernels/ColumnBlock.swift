// SPDX-License-Identifier: Apache-2.0

import KernelInterface
import Tensors

/// A block of columns of a row-major matrix [rows, W], so that the gates of a cell can share one
/// tensor. The operation that uses the block determines the number of columns.
public struct ColumnBlock<Scalar: KernelScalar> {
  let tensor: Tensor<Scalar>
  let first: Int

  /// - Parameters:
  ///   - tensor: [rows, W]
  ///   - first: the first column
  public init(_ tensor: Tensor<Scalar>, at first: Int = 0) {
    precondition(tensor.shape.count == 2, "columns of a tensor \(tensor.shape)")
    self.tensor = tensor
    self.first = first
  }

  var rows: Int { tensor.shape[0] }

  /// A pointer to `columns` columns of `rows` rows, which the tensor must contain.
  func pointer(rows: Int, columns: Int) -> ColumnPointer<Scalar> {
    let shape = tensor.shape
    precondition(
      shape[0] == rows && first >= 0 && first + columns <= shape[1],
      "\(shape) does not hold \(rows) rows of \(columns) columns from column \(first) on")
    return ColumnPointer(tensor.pointer + first, stride: shape[1])
  }
}
