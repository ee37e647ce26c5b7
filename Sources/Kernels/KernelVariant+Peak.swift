import KernelsBaseline

#if arch(x86_64)
  import KernelsAVX2
  import KernelsAVX512
#endif

extension KernelVariant {
  /// The speed of the variant's multiply-adds on registers alone, in GFLOP/s: the best of many
  /// samples taken during `seconds`. For the reference it is that of the fastest variant.
  public func peakGFLOPS(seconds: Double) -> Double {
    switch self {
    case .reference: KernelVariant.supported.last!.peakGFLOPS(seconds: seconds)
    case .baseline: KernelsBaseline.SIMDKernels.peak(seconds: seconds)
    case .avx2, .avx512:
      #if arch(x86_64)
        self == .avx2
          ? KernelsAVX2.SIMDKernels.peak(seconds: seconds)
          : KernelsAVX512.SIMDKernels.peak(seconds: seconds)
      #else
        KernelsBaseline.SIMDKernels.peak(seconds: seconds)
      #endif
    }
  }
}
