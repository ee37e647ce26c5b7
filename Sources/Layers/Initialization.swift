// SPDX-License-Identifier: Apache-2.0

import Kernels
import RandomNumbers
import Tensors

/// Starting values of weights.
public enum Initialization {
  /// A matrix with orthonormal columns (rows, if it is wider than high), as PyTorch's
  /// `orthogonal_`: the Q of a normal random matrix's QR with R's diagonal positive (Saxe et al.,
  /// 2014).
  public static func orthogonal<Scalar: KernelScalar>(
    _ weight: Tensor<Scalar>, stream: inout RandomStream
  ) {
    let (rows, columns) = (weight.shape[0], weight.shape[1])
    let isWide = rows < columns
    let (length, vectors) = isWide ? (columns, rows) : (rows, columns)
    let basis = Tensor<Double>(shape: [vectors, length])
    basis.withMutableSpan { basis in
      for index in basis.indices { basis[index] = stream.normal() }
    }
    for start in stride(from: 0, to: vectors, by: orthogonalBlock) {
      let block = basis.rows(start..<min(start + orthogonalBlock, vectors))
      orthogonalize(block, against: basis.rows(0..<start))
      orthonormalize(block)
    }
    weight.withMutableSpan { weight in
      for row in 0..<rows {
        for column in 0..<columns {
          weight[row * columns + column] = Scalar(
            isWide ? basis[row * length + column] : basis[column * length + row])
        }
      }
    }
  }

  /// The number of vectors that are made orthogonal to all earlier ones together. One by one, a
  /// layer of a thousand units would take a minute.
  private static let orthogonalBlock = 64

  /// X ← X - (X Bᵀ) B, done twice, because only the second time reaches machine precision.
  private static func orthogonalize(_ x: Tensor<Double>, against basis: Tensor<Double>) {
    let projections = Tensor<Double>(shape: [x.shape[0], basis.shape[0]])
    for _ in 0..<2 where basis.count > 0 {
      matrixProduct(x, basis, transposeB: true, into: projections)
      matrixProduct(projections, basis, scale: -1, into: x, keeping: 1)
    }
  }

  /// Gram-Schmidt on the rows of a block, also twice.
  private static func orthonormalize(_ block: Tensor<Double>) {
    for index in 0..<block.shape[0] {
      var vector = block.row(index).array
      for _ in 0..<2 {
        for before in 0..<index {
          block.row(before).withSpan { other in
            var projection = 0.0
            for index in other.indices { projection += vector[index] * other[index] }
            for index in other.indices { vector[index] -= projection * other[index] }
          }
        }
      }
      let norm = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
      block.row(index).copy(from: vector.map { $0 / norm })
    }
  }

  /// Ones on the main diagonal, zeros elsewhere, for any shape (PyTorch's `eye_`).
  public static func identity<Scalar: KernelScalar>(_ weight: Tensor<Scalar>) {
    let (rows, columns) = (weight.shape[0], weight.shape[1])
    weight.fill(0)
    for index in 0..<min(rows, columns) { weight[index * columns + index] = 1 }
  }

  /// The identity in each block of H rows of [G·H, H].
  public static func identityBlocks<Scalar: KernelScalar>(_ weight: Tensor<Scalar>) {
    let H = weight.shape[1]
    for first in stride(from: 0, to: weight.shape[0], by: H) {
      identity(weight.rows(first..<first + H))
    }
  }

  /// Uniform in ±bound, the default of PyTorch's Linear with bound = 1/√fan_in.
  public static func uniform<Scalar: KernelScalar>(
    _ weight: Tensor<Scalar>, bound: Double, stream: inout RandomStream
  ) {
    weight.withMutableSpan { weight in
      for index in weight.indices {
        weight[index] = Scalar(stream.uniform(in: -bound..<bound))
      }
    }
  }

  /// Normal with mean 0.
  public static func normal<Scalar: KernelScalar>(
    _ weight: Tensor<Scalar>, deviation: Double, stream: inout RandomStream
  ) {
    weight.withMutableSpan { weight in
      for index in weight.indices { weight[index] = Scalar(deviation * stream.normal()) }
    }
  }
}
