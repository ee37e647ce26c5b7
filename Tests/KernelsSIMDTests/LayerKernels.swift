import KernelInterface

/// What a kernel module does, so that tests can go through all of them.
protocol LayerKernels<Scalar>: Sendable {
  associatedtype Scalar
  func savedCount(_ geometry: LayerGeometry) -> Int
  func forward(_ call: ForwardCall<Scalar>)
  func backward(_ call: BackwardCall<Scalar>)
}
