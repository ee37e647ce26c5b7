import KernelsBaseline

extension KernelBackend {
  /// SSE2 on x86-64, NEON on arm64.
  public static let baseline = KernelBackend(
    name: "baseline", obstacle: nil, kernels: KernelsBaseline.SIMDKernels.self,
    peak: { KernelsBaseline.SIMDKernels.peak(seconds: $0) })
}
