/// A product with a packed matrix, y = x Wᵀ + b.
public struct PackedProductCall<Scalar> {
  public var rows: Int
  /// K, the numbers that a sum of the product runs over.
  public var depth: Int
  /// M, the columns of y.
  public var columns: Int
  public var packed: UnsafePointer<Scalar>  // as `pack` left it
  public var x: UnsafePointer<Scalar>  // [rows, K]
  public var bias: UnsafePointer<Scalar>?  // [M]; nil is zero
  public var y: UnsafeMutablePointer<Scalar>  // [rows, M], overwritten

  public init(
    rows: Int, depth: Int, columns: Int, packed: UnsafePointer<Scalar>, x: UnsafePointer<Scalar>,
    bias: UnsafePointer<Scalar>?, y: UnsafeMutablePointer<Scalar>
  ) {
    self.rows = rows
    self.depth = depth
    self.columns = columns
    self.packed = packed
    self.x = x
    self.bias = bias
    self.y = y
  }
}

/// A matrix to be packed for products.
public struct PackCall<Scalar> {
  /// K and M as in `PackedProductCall`.
  public var depth: Int
  public var columns: Int
  /// W [M, K], or [K, M] if `isTransposed`.
  public var source: UnsafePointer<Scalar>
  public var isTransposed: Bool
  /// `packedCount` numbers, overwritten.
  public var target: UnsafeMutablePointer<Scalar>

  public init(
    depth: Int, columns: Int, source: UnsafePointer<Scalar>, isTransposed: Bool,
    target: UnsafeMutablePointer<Scalar>
  ) {
    self.depth = depth
    self.columns = columns
    self.source = source
    self.isTransposed = isTransposed
    self.target = target
  }
}

/// Each row of D columns normalised, y = normalised · gain + shift.
public struct NormalizationCall<Scalar> {
  public var rows: Int
  /// D
  public var columns: Int
  public var epsilon: Scalar
  public var gain: UnsafePointer<Scalar>  // [D]
  public var shift: UnsafePointer<Scalar>  // [D]
  public var z: ColumnPointer<Scalar>
  public var y: ColumnPointer<Scalar>
  /// What backward needs, besides `inverseDeviation` in one column.
  public var normalised: ColumnPointer<Scalar>
  public var inverseDeviation: ColumnPointer<Scalar>

  public init(
    rows: Int, columns: Int, epsilon: Scalar, gain: UnsafePointer<Scalar>,
    shift: UnsafePointer<Scalar>, z: ColumnPointer<Scalar>, y: ColumnPointer<Scalar>,
    normalised: ColumnPointer<Scalar>, inverseDeviation: ColumnPointer<Scalar>
  ) {
    self.rows = rows
    self.columns = columns
    self.epsilon = epsilon
    self.gain = gain
    self.shift = shift
    self.z = z
    self.y = y
    self.normalised = normalised
    self.inverseDeviation = inverseDeviation
  }
}

/// The adjoint of `NormalizationCall`.
public struct NormalizationBackwardCall<Scalar> {
  public var rows: Int
  /// D
  public var columns: Int
  public var gain: UnsafePointer<Scalar>  // [D]
  public var dy: ColumnPointer<Scalar>
  public var normalised: ColumnPointer<Scalar>
  public var inverseDeviation: ColumnPointer<Scalar>
  /// Overwritten; may be the memory of `dy`.
  public var dz: ColumnPointer<Scalar>
  /// Added to, each row to its own.
  public var dGain: ColumnPointer<Scalar>
  public var dShift: ColumnPointer<Scalar>

  public init(
    rows: Int, columns: Int, gain: UnsafePointer<Scalar>, dy: ColumnPointer<Scalar>,
    normalised: ColumnPointer<Scalar>, inverseDeviation: ColumnPointer<Scalar>,
    dz: ColumnPointer<Scalar>, dGain: ColumnPointer<Scalar>, dShift: ColumnPointer<Scalar>
  ) {
    self.rows = rows
    self.columns = columns
    self.gain = gain
    self.dy = dy
    self.normalised = normalised
    self.inverseDeviation = inverseDeviation
    self.dz = dz
    self.dGain = dGain
    self.dShift = dShift
  }
}
