import BLAS
import KernelInterface

#if canImport(Glibc)
  import Glibc
#endif

/// `Float` takes the kernels of `KernelVariant.current`.
extension Float: KernelScalar {
  public static var precisionName: String { "float32" }

  public static func recurrentSavedCount(_ geometry: LayerGeometry) -> Int {
    switch KernelVariant.current {
    case .reference: ReferenceKernels<Float>.savedCount(geometry)
    }
  }

  public static func recurrentForward(_ call: ForwardCall<Float>) {
    switch KernelVariant.current {
    case .reference: ReferenceKernels.forward(call)
    }
  }

  public static func recurrentBackward(_ call: BackwardCall<Float>) {
    switch KernelVariant.current {
    case .reference: ReferenceKernels.backward(call)
    }
  }

  public static func exponential(_ x: Float) -> Float { expf(x) }
  public static func logarithm(_ x: Float) -> Float { logf(x) }
}
