/// What the module of one instruction set offers, all of it in `Float`.
///
/// A conforming type is an empty name for static functions.
public protocol KernelModule: SendableMetatype {
  // MARK: A fused recurrent layer

  /// How many floats `saved` of a call needs.
  static func savedCount(_ geometry: LayerGeometry) -> Int
  /// Runs a layer over a sequence.
  static func forward(_ call: ForwardCall<Float>)
  /// Runs a layer backward over a sequence.
  static func backward(_ call: BackwardCall<Float>)

  // MARK: What cells are made of

  /// How many floats a packed matrix of K x M takes.
  static func packedCount(depth: Int, columns: Int) -> Int
  static func pack(_ call: PackCall<Float>)
  static func multiply(_ call: PackedProductCall<Float>)
  static func apply(_ call: PointwiseCall<Float>)
  static func normalize(_ call: NormalizationCall<Float>)
  static func normalizeBackward(_ call: NormalizationBackwardCall<Float>)

  // MARK: Functions; y may be x

  /// y = exp(x), element by element.
  static func exponential(
    _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, count: Int)
  /// y = tanh(x), element by element.
  static func hyperbolicTangent(
    _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, count: Int)
  /// y = 1 / (1 + exp(-x)), element by element.
  static func logistic(
    _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, count: Int)

  /// The speed of multiply-adds on registers alone, in GFLOP/s, the best of `seconds`.
  static func peak(seconds: Double) -> Double
}
