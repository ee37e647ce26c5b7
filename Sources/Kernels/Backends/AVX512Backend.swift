// SPDX-License-Identifier: Apache-2.0

import CVec

#if arch(x86_64)
  import KernelsAVX512
#else
  // Other architectures list this backend but never run it, because `obstacle` is set.
  import KernelsBaseline
#endif

extension KernelBackend {
  /// AVX-512, x86-64-v4.
  public static let avx512 = KernelBackend(
    name: "avx512",
    obstacle: cvec_processor_has_avx512()
      ? nil : "this processor has no AVX-512 (F, BW, CD, DQ, VL)",
    kernels: SIMDKernels.self, arithmetic: .fused,
    openBLASCore: KernelBackend.avx2.openBLASCore,
    peak: { SIMDKernels.peak(seconds: $0) })
}
