import BLAS
import KernelInterface
import KernelsBaseline

#if arch(x86_64)
  import KernelsAVX2
  import KernelsAVX512

  private typealias AVX2 = KernelsAVX2.SIMDKernels
  private typealias AVX512 = KernelsAVX512.SIMDKernels
#else
  // Other processors have one variant; the cases of the others are never reached there.
  private typealias AVX2 = KernelsBaseline.SIMDKernels
  private typealias AVX512 = KernelsBaseline.SIMDKernels
#endif
private typealias Baseline = KernelsBaseline.SIMDKernels

#if canImport(Glibc)
  import Glibc
#endif

/// `Float` takes the kernels of the variant, for training those of `KernelVariant.current`.
extension Float: KernelScalar {
  public static var precisionName: String { "float32" }

  public static func kernels(on variant: KernelVariant) -> LayerKernels<Float> {
    switch variant {
    case .reference: reference
    case .baseline: baseline
    case .avx2: avx2
    case .avx512: avx512
    }
  }
  private static let reference = LayerKernels<Float>.reference
  private static let baseline = LayerKernels<Float>(Baseline.self)
  private static let avx2 = LayerKernels<Float>(AVX2.self)
  private static let avx512 = LayerKernels<Float>(AVX512.self)

  public static func recurrentSavedCount(
    _ geometry: LayerGeometry, on variant: KernelVariant
  ) -> Int {
    switch variant {
    case .reference: ReferenceKernels<Float>.savedCount(geometry)
    case .baseline: Baseline.savedCount(geometry)
    case .avx2: AVX2.savedCount(geometry)
    case .avx512: AVX512.savedCount(geometry)
    }
  }

  public static func recurrentForward(_ call: ForwardCall<Float>, on variant: KernelVariant) {
    switch variant {
    case .reference: ReferenceKernels.forward(call)
    case .baseline: Baseline.forward(call)
    case .avx2: AVX2.forward(call)
    case .avx512: AVX512.forward(call)
    }
  }

  public static func recurrentBackward(_ call: BackwardCall<Float>, on variant: KernelVariant) {
    switch variant {
    case .reference: ReferenceKernels.backward(call)
    case .baseline: Baseline.backward(call)
    case .avx2: AVX2.backward(call)
    case .avx512: AVX512.backward(call)
    }
  }

  public static func exponential(_ x: Float) -> Float { expf(x) }
  public static func exponentials(
    _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, count: Int
  ) {
    switch KernelVariant.current {
    case .reference: for index in 0..<count { y[index] = expf(x[index]) }
    case .baseline: Baseline.exponential(x, into: y, count: count)
    case .avx2: AVX2.exponential(x, into: y, count: count)
    case .avx512: AVX512.exponential(x, into: y, count: count)
    }
  }
  public static func logarithm(_ x: Float) -> Float { logf(x) }
}
