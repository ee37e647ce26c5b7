import CVec

#if canImport(Glibc)
  import Glibc
#endif

/// The instruction set whose kernels `Float` uses.
public enum KernelVariant: String, Sendable, CaseIterable {
  /// One number at a time, on any processor: the readable reference.
  case reference
  /// SSE2 on x86-64, NEON on arm64.
  case baseline
  /// AVX2 with fused multiply-add, x86-64-v3.
  case avx2
  /// AVX-512, x86-64-v4.
  case avx512

  /// The environment variable that chooses a variant, for tests and comparisons.
  public static let variable = "MOMENTUM_DIST_KERNELS"

  /// Whether this processor can run the variant.
  public var isSupported: Bool {
    switch self {
    case .reference, .baseline: true
    case .avx2: cvec_processor_has_avx2()
    case .avx512: cvec_processor_has_avx512()
    }
  }

  /// The variants that this processor can run, slowest first.
  public static var supported: [KernelVariant] { allCases.filter(\.isSupported) }

  /// The variant that layers run on: that of `run`, or else the process's own.
  public static var current: KernelVariant { override ?? own }

  /// Runs `body` on this variant, for tests and comparisons; the threads that it starts are not
  /// meant.
  public func run<Result>(_ body: () throws -> Result) rethrows -> Result {
    try Self.$override.withValue(self, operation: body)
  }

  @TaskLocal private static var override: KernelVariant?

  /// What this process uses: what the environment asks for, or the fastest there is.
  private static let own: KernelVariant = {
    guard let requested, let variant = KernelVariant(rawValue: requested), variant.isSupported
    else { return supported.last ?? .reference }
    return variant
  }()

  /// Why the environment's choice cannot be followed; nil if it can.
  public static var requestProblem: String? {
    guard let requested else { return nil }
    guard let variant = KernelVariant(rawValue: requested), variant.isSupported else {
      return "\(variable) is \"\(requested)\"; this processor runs "
        + supported.map(\.rawValue).joined(separator: ", ")
    }
    return nil
  }

  private static var requested: String? {
    getenv(variable).map { String(cString: $0) }
  }

  /// Makes the calling thread take denormal numbers for zero. Gradients that vanish over hundreds
  /// of time steps become denormal, and on most processors each operation on one costs a hundred
  /// cycles. To be called once by every thread that computes.
  public static func flushDenormals() {
    cvec_flush_denormals()
  }
}
