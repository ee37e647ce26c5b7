// SPDX-License-Identifier: Apache-2.0

import KernelsBaseline

extension KernelBackend {
  private static var baselineArithmetic: Arithmetic {
    #if arch(arm64)
      .fused
    #else
      .separate
    #endif
  }

  /// SSE2 on x86-64, NEON on arm64.
  public static let baseline = KernelBackend(
    name: "baseline", obstacle: nil, kernels: KernelsBaseline.SIMDKernels.self,
    arithmetic: baselineArithmetic, peak: { KernelsBaseline.SIMDKernels.peak(seconds: $0) })
}
