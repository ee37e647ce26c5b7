import KernelsBaseline

#if arch(x86_64)
  import KernelsAVX2
  import KernelsAVX512
#endif

#if canImport(Glibc)
  import Glibc
#endif

/// A function that the kernels approximate in Float.
public enum ElementaryFunction: String, Sendable, CaseIterable {
  case exponential = "exp"
  case hyperbolicTangent = "tanh"
  /// 1 / (1 + e^-x)
  case logistic

  /// The value in Double.
  public func exact(_ x: Double) -> Double {
    switch self {
    case .exponential: exp(x)
    case .hyperbolicTangent: tanh(x)
    case .logistic: 1 / (1 + exp(-x))
    }
  }

  /// Where the value is exact to a few units of the last place. Below it is less than 1e-37 away;
  /// above it may be infinite.
  public var range: ClosedRange<Float> {
    switch self {
    case .exponential: -87.3...88.3
    case .hyperbolicTangent: -.greatestFiniteMagnitude ... .greatestFiniteMagnitude
    case .logistic: -87 ... .greatestFiniteMagnitude
    }
  }

  /// The values that a variant's kernels compute.
  public func values(at x: [Float], on variant: KernelVariant) -> [Float] {
    [Float](unsafeUninitializedCapacity: x.count) { y, count in
      x.withUnsafeBufferPointer { x in
        if let from = x.baseAddress, let to = y.baseAddress {
          apply(from, to, x.count, on: variant)
        }
      }
      count = x.count
    }
  }

  private func apply(
    _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, _ count: Int,
    on variant: KernelVariant
  ) {
    #if arch(x86_64)
      switch (variant, self) {
      case (.avx2, .exponential): KernelsAVX2.SIMDKernels.exponential(x, into: y, count: count)
      case (.avx2, .hyperbolicTangent):
        KernelsAVX2.SIMDKernels.hyperbolicTangent(x, into: y, count: count)
      case (.avx2, .logistic): KernelsAVX2.SIMDKernels.logistic(x, into: y, count: count)
      case (.avx512, .exponential):
        KernelsAVX512.SIMDKernels.exponential(x, into: y, count: count)
      case (.avx512, .hyperbolicTangent):
        KernelsAVX512.SIMDKernels.hyperbolicTangent(x, into: y, count: count)
      case (.avx512, .logistic): KernelsAVX512.SIMDKernels.logistic(x, into: y, count: count)
      case (.baseline, _), (.reference, _): applyBaseline(x, y, count, on: variant)
      }
    #else
      applyBaseline(x, y, count, on: variant)
    #endif
  }

  private func applyBaseline(
    _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, _ count: Int,
    on variant: KernelVariant
  ) {
    typealias Baseline = KernelsBaseline.SIMDKernels
    switch (variant, self) {
    case (.reference, .exponential): for index in 0..<count { y[index] = expf(x[index]) }
    case (.reference, .hyperbolicTangent): for index in 0..<count { y[index] = tanhf(x[index]) }
    case (.reference, .logistic):
      for index in 0..<count { y[index] = 1 / (1 + expf(-x[index])) }
    case (_, .exponential): Baseline.exponential(x, into: y, count: count)
    case (_, .hyperbolicTangent): Baseline.hyperbolicTangent(x, into: y, count: count)
    case (_, .logistic): Baseline.logistic(x, into: y, count: count)
    }
  }
}
