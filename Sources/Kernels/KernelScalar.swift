// SPDX-License-Identifier: Apache-2.0

import BLAS
import KernelInterface

/// A number type for models: `Float` for training, `Double` for tests of correctness.
public protocol KernelScalar: BinaryFloatingPoint, BitwiseCopyable, Sendable, BLASScalar {
  /// The name that checkpoints and `verify` use.
  static var precisionName: String { get }

  /// The kernels of a backend. `Double` always uses the scalar reference.
  static func kernels(on backend: KernelBackend) -> any LayerKernels<Self>.Type

  /// e^x, as the C library computes it.
  static func exponential(_ x: Self) -> Self
  /// The natural logarithm.
  static func logarithm(_ x: Self) -> Self
}
