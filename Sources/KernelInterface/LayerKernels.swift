// SPDX-License-Identifier: Apache-2.0

/// The kernels of one backend for one number type. Layers and cells call them.
///
/// A conforming type is only a namespace for static functions. The result of a row has the same
/// bits regardless of the rows computed with it.
public protocol LayerKernels<Scalar>: SendableMetatype {
  /// The type of the numbers, Float or Double.
  associatedtype Scalar

  // MARK: A fused recurrent layer

  /// The size of `saved` of a call in scalars.
  static func savedCount(_ geometry: LayerGeometry) -> Int
  /// Runs a layer over a sequence.
  static func forward(_ call: ForwardCall<Scalar>)
  /// Runs a layer backward over a sequence.
  static func backward(_ call: BackwardCall<Scalar>)

  // MARK: Building blocks of cells

  /// The size of a packed matrix of K x M in scalars.
  static func packedCount(depth: Int, columns: Int) -> Int
  /// Packs a matrix for products with it.
  static func pack(_ call: PackCall<Scalar>)
  /// y = x Wᵀ + b, or y += x Wᵀ
  static func multiply(_ call: PackedProductCall<Scalar>)
  /// The size of a block of rows in scalars.
  static func rowBlockCount(_ role: GradientRole, rows: Int, columns: Int) -> Int
  /// Lays out rows for gradients of weights.
  static func keep(_ call: RowBlockCall<Scalar>)
  /// dW += Σ_r delta_rᵀ operand_r
  static func addWeightGradient(_ call: WeightGradientCall<Scalar>)
  /// dW and db for operands of few columns, directly from rows.
  static func addNarrowGradient(_ call: NarrowGradientCall<Scalar>)
  /// y = w(x) Wᵀ + b, or y += w(x) Wᵀ, for the windows w(x) of a map
  static func convolve(_ call: ConvolutionCall<Scalar>)
  /// dW += dyᵀ w(x)
  static func addConvolutionGradient(_ call: ConvolutionGradientCall<Scalar>)
  /// sums += Σ_r row_r, from the first row to the last
  static func addColumnSums(_ call: ColumnSumsCall<Scalar>)
  /// Applies a pointwise formula.
  static func apply(_ call: PointwiseCall<Scalar>)
  /// Draws the factors of a dropout.
  static func fillDropout(_ call: DropoutCall<Scalar>)
  /// Advances a drive by one step.
  static func drive(_ call: DriveCall<Scalar>)
  /// The adjoint of `drive`.
  static func driveBackward(_ call: DriveCall<Scalar>)
  /// Normalises each row.
  static func normalize(_ call: NormalizationCall<Scalar>)
  /// The adjoint of `normalize`.
  static func normalizeBackward(_ call: NormalizationBackwardCall<Scalar>)
  /// Computes the attention of every query and writes o [N, T, D].
  static func attend(_ call: AttentionCall<Scalar>, into output: UnsafeMutablePointer<Scalar>)
  /// The adjoint of `attend`: writes the gradient of `projected` [N, T, 3 D] from that of o.
  static func attendBackward(
    _ call: AttentionCall<Scalar>, of dOutput: UnsafePointer<Scalar>,
    into dProjected: UnsafeMutablePointer<Scalar>)
  /// Advances Legendre memories by one time step.
  static func advance(_ call: LegendreMemoryCall<Scalar>, _ memory: LegendreMemoryForward<Scalar>)
  /// The adjoint of `advance`.
  static func advanceBackward(
    _ call: LegendreMemoryCall<Scalar>, _ memory: LegendreMemoryBackward<Scalar>)

  // MARK: Functions; y may be x

  /// y = exp(x), element by element.
  static func exponential(
    _ x: UnsafePointer<Scalar>, into y: UnsafeMutablePointer<Scalar>, count: Int)
  /// y = tanh(x), element by element.
  static func hyperbolicTangent(
    _ x: UnsafePointer<Scalar>, into y: UnsafeMutablePointer<Scalar>, count: Int)
  /// y = 1 / (1 + exp(-x)), element by element.
  static func logistic(
    _ x: UnsafePointer<Scalar>, into y: UnsafeMutablePointer<Scalar>, count: Int)
}
