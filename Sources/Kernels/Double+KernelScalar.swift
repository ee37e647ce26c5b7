// SPDX-License-Identifier: Apache-2.0

import BLAS
import KernelInterface

#if canImport(Glibc)
  import Glibc
#endif

/// `Double` always uses the scalar reference.
extension Double: KernelScalar {
  public static var precisionName: String { "float64" }

  public static func kernels(on backend: KernelBackend) -> any LayerKernels<Double>.Type {
    ReferenceKernels<Double>.self
  }

  public static func exponential(_ x: Double) -> Double { exp(x) }
  public static func logarithm(_ x: Double) -> Double { log(x) }
}
