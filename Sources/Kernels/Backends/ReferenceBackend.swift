// SPDX-License-Identifier: Apache-2.0

extension KernelBackend {
  /// One number at a time, on any processor: the readable reference.
  public static let reference = KernelBackend(
    name: "reference", obstacle: nil, kernels: ReferenceKernels<Float>.self, arithmetic: .scalar,
    peak: { KernelBackend.supported.last!.peakGFLOPS(seconds: $0) })
}
