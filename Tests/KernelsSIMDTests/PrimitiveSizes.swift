// SPDX-License-Identifier: Apache-2.0

import Kernels
import Tensors

/// Odd numbers of rows and columns.
enum PrimitiveSizes {
  static let all = [1, 2, 7, 64].flatMap { rows in
    [1, 3, 17, 33].map { columns in [rows, columns] }
  }

  static func random<Scalar: KernelScalar>(
    _ rows: Int, _ columns: Int, seed: UInt64, scale: Float = 1
  ) -> Tensor<Scalar> {
    var generator = SplitMix(state: seed)
    return Tensor(
      (0..<rows * columns).map { _ in Scalar(generator.symmetric() * scale) },
      shape: [rows, columns])
  }
}

/// Σ a b
func inner(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
