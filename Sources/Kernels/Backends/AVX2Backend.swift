// SPDX-License-Identifier: Apache-2.0

import CVec

#if arch(x86_64)
  import KernelsAVX2
#else
  // Other architectures list this backend but never run it, because `obstacle` is set.
  import KernelsBaseline
#endif

extension KernelBackend {
  /// AVX2 with fused multiply-add, x86-64-v3.
  public static let avx2 = KernelBackend(
    name: "avx2",
    obstacle: cvec_processor_has_avx2()
      ? nil : "this processor has no AVX2 with fused multiply-add",
    kernels: SIMDKernels.self, arithmetic: .fused, openBLASCore: "HASWELL",
    peak: { SIMDKernels.peak(seconds: $0) })
}
