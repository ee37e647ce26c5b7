// SPDX-License-Identifier: Apache-2.0

import Kernels
import Tensors

/// An affine map of every step. The steps are the R = N·T rows of a matrix.
///
///     y = x Wᵀ + b,   x [R, K], W [M, K], b [M], y [R, M]
struct AffineMap {
  let weight: NamedShape
  let bias: NamedShape

  /// - Parameters:
  ///   - name: the name of W and b, in which `*` stands for "weight" or "bias"
  init(_ name: String, inputs K: Int, outputs M: Int) {
    weight = NamedShape(name.replacing("*", with: "weight"), [M, K])
    bias = NamedShape(name.replacing("*", with: "bias"), [M], role: .bias)
  }

  var inputs: Int { weight.shape[1] }
  var outputs: Int { weight.shape[0] }
}

/// An affine map with its packed weights, during a pass.
struct AffinePass<Scalar: KernelScalar> {
  let map: AffineMap
  /// For y = x Wᵀ, and for dx = dy W.
  let packed: PackedMatrix<Scalar>
  let transposed: PackedMatrix<Scalar>

  func forward(
    _ x: Tensor<Scalar>, _ parameters: ParameterBuffer<Scalar>, into y: Tensor<Scalar>
  ) {
    packed.multiply(x, adding: parameters[map.bias.name], into: y)
  }

  /// Adds dW = dyᵀ x and db = Σ dy of each shard, and writes dx = dy W.
  ///
  /// - Parameter dx: nil if it is not needed
  func backward(
    _ dy: Tensor<Scalar>, x: Tensor<Scalar>, shards: ShardSteps,
    into gradients: ShardedBuffer<Scalar>, dx: Tensor<Scalar>?
  ) {
    shards.forEach { shard, rows in
      gradients[shard][map.weight.name].addProductGradient(dy.rows(rows), x.rows(rows))
      gradients[shard][map.bias.name].addColumnSums(of: dy.rows(rows))
    }
    if let dx { transposed.multiply(dy, into: dx) }
  }
}

/// The rows of [N·T] of each virtual shard.
struct ShardSteps {
  let rowStarts: [Int]
  /// T.
  let steps: Int

  var count: Int { rowStarts.count - 1 }
  /// The first row of each shard, then N·T.
  var groupStarts: [Int] { rowStarts.map { $0 * steps } }

  /// Calls `body` with each shard that has rows.
  func forEach(_ body: (Int, Range<Int>) -> Void) {
    for shard in 0..<rowStarts.count - 1 where rowStarts[shard] < rowStarts[shard + 1] {
      body(shard, rowStarts[shard] * steps..<rowStarts[shard + 1] * steps)
    }
  }
}
