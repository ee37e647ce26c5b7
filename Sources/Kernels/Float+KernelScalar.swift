// SPDX-License-Identifier: Apache-2.0

import BLAS
import KernelInterface

#if canImport(Glibc)
  import Glibc
#endif

/// `Float` uses the kernels of the backend; for training, those of `KernelBackend.current`.
extension Float: KernelScalar {
  public static var precisionName: String { "float32" }

  public static func kernels(on backend: KernelBackend) -> any LayerKernels<Float>.Type {
    backend.kernels
  }

  public static func exponential(_ x: Float) -> Float { expf(x) }
  public static func logarithm(_ x: Float) -> Float { logf(x) }
}
