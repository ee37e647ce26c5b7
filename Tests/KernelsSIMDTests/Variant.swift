import KernelInterface
import Kernels
import KernelsBaseline
import Testing

#if arch(x86_64)
  import KernelsAVX2
  import KernelsAVX512
#endif

/// The scalar reference in Double.
struct Reference: LayerKernels {
  typealias Scalar = Double

  func savedCount(_ geometry: LayerGeometry) -> Int {
    Double.recurrentSavedCount(geometry, on: .reference)
  }
  func forward(_ call: ForwardCall<Double>) { Double.recurrentForward(call, on: .reference) }
  func backward(_ call: BackwardCall<Double>) { Double.recurrentBackward(call, on: .reference) }
}

/// A function of `SIMDKernels` that maps a buffer to another of the same count.
typealias Elementwise =
  @Sendable (UnsafePointer<Float>, UnsafeMutablePointer<Float>, Int) -> Void

/// One of the SIMD modules.
struct Variant: LayerKernels, CustomTestStringConvertible {
  typealias Scalar = Float

  let kind: KernelVariant
  let saved: @Sendable (LayerGeometry) -> Int
  let runForward: @Sendable (ForwardCall<Float>) -> Void
  let runBackward: @Sendable (BackwardCall<Float>) -> Void
  let exponential: Elementwise
  let hyperbolicTangent: Elementwise
  let logistic: Elementwise

  var testDescription: String { kind.rawValue }

  func savedCount(_ geometry: LayerGeometry) -> Int { saved(geometry) }
  func forward(_ call: ForwardCall<Float>) { runForward(call) }
  func backward(_ call: BackwardCall<Float>) { runBackward(call) }

  /// Cancels the test where the processor cannot run the variant.
  func requireSupport() throws {
    if !kind.isSupported { try Test.cancel("this processor cannot run \(kind.rawValue)") }
  }

  #if arch(x86_64)
    static let all = [baseline, avx2, avx512]
  #else
    static let all = [baseline]
  #endif

  private static let baseline: Variant = {
    typealias K = KernelsBaseline.SIMDKernels
    return Variant(
      kind: .baseline, saved: K.savedCount, runForward: K.forward, runBackward: K.backward,
      exponential: { K.exponential($0, into: $1, count: $2) },
      hyperbolicTangent: { K.hyperbolicTangent($0, into: $1, count: $2) },
      logistic: { K.logistic($0, into: $1, count: $2) })
  }()

  #if arch(x86_64)
    private static let avx2: Variant = {
      typealias K = KernelsAVX2.SIMDKernels
      return Variant(
        kind: .avx2, saved: K.savedCount, runForward: K.forward, runBackward: K.backward,
        exponential: { K.exponential($0, into: $1, count: $2) },
        hyperbolicTangent: { K.hyperbolicTangent($0, into: $1, count: $2) },
        logistic: { K.logistic($0, into: $1, count: $2) })
    }()

    private static let avx512: Variant = {
      typealias K = KernelsAVX512.SIMDKernels
      return Variant(
        kind: .avx512, saved: K.savedCount, runForward: K.forward, runBackward: K.backward,
        exponential: { K.exponential($0, into: $1, count: $2) },
        hyperbolicTangent: { K.hyperbolicTangent($0, into: $1, count: $2) },
        logistic: { K.logistic($0, into: $1, count: $2) })
    }()
  #endif
}
