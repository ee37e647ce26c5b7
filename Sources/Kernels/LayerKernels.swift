import KernelInterface

/// The kernels that layers and cells run on, for one kind of number: those of a backend in Float,
/// or the scalar reference.
///
/// What is computed for a row has the same bits whatever other rows are computed with it.
public struct LayerKernels<Scalar: KernelScalar>: Sendable {
  // MARK: A fused recurrent layer

  /// How many scalars `saved` of a call needs.
  public let savedCount: @Sendable (LayerGeometry) -> Int
  /// Runs a layer over a sequence.
  public let forward: @Sendable (ForwardCall<Scalar>) -> Void
  /// Runs a layer backward over a sequence.
  public let backward: @Sendable (BackwardCall<Scalar>) -> Void

  // MARK: What cells are made of

  let packedCount: @Sendable (_ depth: Int, _ columns: Int) -> Int
  let pack: @Sendable (PackCall<Scalar>) -> Void
  let multiply: @Sendable (PackedProductCall<Scalar>) -> Void
  let apply: @Sendable (PointwiseCall<Scalar>) -> Void
  let normalize: @Sendable (NormalizationCall<Scalar>) -> Void
  let normalizeBackward: @Sendable (NormalizationBackwardCall<Scalar>) -> Void
}

extension LayerKernels where Scalar: Lanes {
  /// The scalar reference.
  static var reference: LayerKernels {
    typealias Reference = ReferenceKernels<Scalar>
    return LayerKernels(
      savedCount: { Reference.savedCount($0) }, forward: { Reference.forward($0) },
      backward: { Reference.backward($0) },
      packedCount: { Reference.packedCount(depth: $0, columns: $1) },
      pack: { Reference.pack($0) }, multiply: { Reference.multiply($0) },
      apply: { Reference.apply($0) }, normalize: { Reference.normalize($0) },
      normalizeBackward: { Reference.normalizeBackward($0) })
  }
}

extension LayerKernels<Float> {
  /// The kernels of the module of one instruction set.
  init<Module: KernelModule>(_: Module.Type) {
    self.init(
      savedCount: { Module.savedCount($0) }, forward: { Module.forward($0) },
      backward: { Module.backward($0) },
      packedCount: { Module.packedCount(depth: $0, columns: $1) }, pack: { Module.pack($0) },
      multiply: { Module.multiply($0) }, apply: { Module.apply($0) },
      normalize: { Module.normalize($0) }, normalizeBackward: { Module.normalizeBackward($0) })
  }
}
