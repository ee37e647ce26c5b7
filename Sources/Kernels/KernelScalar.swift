import BLAS
import KernelInterface

/// A number type that models can be built on: `Float` for training, `Double` for proofs.
public protocol KernelScalar: BinaryFloatingPoint, BitwiseCopyable, Sendable, BLASScalar {
  /// The name that checkpoints and `verify` use.
  static var precisionName: String { get }

  /// The kernels of a variant; for `Double` the scalar reference, whatever the variant.
  static func kernels(on variant: KernelVariant) -> LayerKernels<Self>

  /// How many scalars a recurrent layer saves between forward and backward.
  static func recurrentSavedCount(_ geometry: LayerGeometry, on variant: KernelVariant) -> Int
  /// Runs a recurrent layer over a sequence.
  static func recurrentForward(_ call: ForwardCall<Self>, on variant: KernelVariant)
  /// Runs it backward.
  static func recurrentBackward(_ call: BackwardCall<Self>, on variant: KernelVariant)

  /// e^x, rounded as the C library does.
  static func exponential(_ x: Self) -> Self
  /// y = e^x of `count` numbers, by the kernels of `recurrentForward`; y may be x.
  static func exponentials(
    _ x: UnsafePointer<Self>, into y: UnsafeMutablePointer<Self>, count: Int)
  /// The natural logarithm.
  static func logarithm(_ x: Self) -> Self
}
