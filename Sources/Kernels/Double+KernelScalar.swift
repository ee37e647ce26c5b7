import BLAS
import KernelInterface

#if canImport(Glibc)
  import Glibc
#endif

/// `Double` always takes the scalar reference.
extension Double: KernelScalar {
  public static var precisionName: String { "float64" }

  public static func kernels(on variant: KernelVariant) -> LayerKernels<Double> { reference }
  private static let reference = LayerKernels<Double>.reference

  public static func recurrentSavedCount(
    _ geometry: LayerGeometry, on variant: KernelVariant
  ) -> Int {
    ReferenceKernels<Double>.savedCount(geometry)
  }

  public static func recurrentForward(_ call: ForwardCall<Double>, on variant: KernelVariant) {
    ReferenceKernels.forward(call)
  }

  public static func recurrentBackward(_ call: BackwardCall<Double>, on variant: KernelVariant) {
    ReferenceKernels.backward(call)
  }

  public static func exponential(_ x: Double) -> Double { exp(x) }
  public static func exponentials(
    _ x: UnsafePointer<Double>, into y: UnsafeMutablePointer<Double>, count: Int
  ) {
    for index in 0..<count { y[index] = exp(x[index]) }
  }
  public static func logarithm(_ x: Double) -> Double { log(x) }
}
