// SPDX-License-Identifier: Apache-2.0

/// A product with a packed matrix, y = x Wᵀ + b or y += x Wᵀ.
public struct PackedProductCall<Scalar> {
  /// The rows of x and y.
  public var rows: Int
  /// K, the length of the product's sums.
  public var depth: Int
  /// M, the columns of y.
  public var columns: Int
  /// W, as `pack` wrote it.
  public var packed: UnsafePointer<Scalar>
  /// [rows, K].
  public var x: UnsafePointer<Scalar>
  /// [M]; nil is zero.
  public var bias: UnsafePointer<Scalar>?
  /// [rows, M].
  public var y: UnsafeMutablePointer<Scalar>
  /// Whether the sums start from y instead of the bias.
  public var isAdding: Bool

  public init(
    rows: Int, depth: Int, columns: Int, packed: UnsafePointer<Scalar>, x: UnsafePointer<Scalar>,
    bias: UnsafePointer<Scalar>?, y: UnsafeMutablePointer<Scalar>, isAdding: Bool = false
  ) {
    self.rows = rows
    self.depth = depth
    self.columns = columns
    self.packed = packed
    self.x = x
    self.bias = bias
    self.y = y
    self.isAdding = isAdding
  }
}

/// A matrix to be packed for products.
public struct PackCall<Scalar> {
  /// K as in `PackedProductCall`.
  public var depth: Int
  /// M as in `PackedProductCall`.
  public var columns: Int
  /// W [M, K], or [K, M] if `isTransposed`.
  public var source: UnsafePointer<Scalar>
  /// Whether `source` is [K, M].
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

/// The factors of a dropout, one for each random word of Philox 4x32-10, in order: 0 if the word is
/// below a limit, and 1 / (1 - p) otherwise, which preserves the mean.
public struct DropoutCall<Scalar> {
  /// The counter of the first four words; its first number is then incremented.
  public var counter: SIMD4<UInt32>
  /// The key of the generator: the seed of the run.
  public var key: SIMD2<UInt32>
  /// A number is dropped if its random word is below this.
  public var limit: UInt32
  /// The factor of the numbers that are kept, 1 / (1 - p).
  public var kept: Scalar
  /// The number of factors.
  public var count: Int
  /// [count], overwritten.
  public var factors: UnsafeMutablePointer<Scalar>

  public init(
    counter: SIMD4<UInt32>, key: SIMD2<UInt32>, limit: UInt32, kept: Scalar, count: Int,
    factors: UnsafeMutablePointer<Scalar>
  ) {
    self.counter = counter
    self.key = key
    self.limit = limit
    self.kept = kept
    self.count = count
    self.factors = factors
  }
}
