// SPDX-License-Identifier: Apache-2.0

/// The role of rows in the gradient of a weight, dW [W, K] = Σ_r delta_rᵀ operand_r.
public enum GradientRole: Sendable, Hashable {
  /// The gradient of a product's result, W columns.
  case delta
  /// The vector that was multiplied, K columns.
  case operand
}

/// Some rows of a matrix to be arranged for gradients of weights: step by step, the rows of a shard
/// are added to a block.
public struct RowBlockCall<Scalar> {
  public var role: GradientRole
  public var columns: Int
  /// The capacity of the block in rows, and the number of rows already in it.
  public var capacity: Int
  public var first: Int
  public var rows: Int
  public var source: UnsafePointer<Scalar>  // [rows, columns]
  /// `rowBlockCount` numbers, of which those of the rows are overwritten.
  public var block: UnsafeMutablePointer<Scalar>
  /// [columns]; the rows are added to it, from the first to the last; nil adds nothing.
  public var sums: UnsafeMutablePointer<Scalar>?

  public init(
    _ role: GradientRole, columns: Int, capacity: Int, first: Int, rows: Int,
    source: UnsafePointer<Scalar>, block: UnsafeMutablePointer<Scalar>,
    sums: UnsafeMutablePointer<Scalar>?
  ) {
    self.role = role
    self.columns = columns
    self.capacity = capacity
    self.first = first
    self.rows = rows
    self.source = source
    self.block = block
    self.sums = sums
  }
}

/// The gradient of a weight from the first rows of two blocks, dW += Σ_r delta_rᵀ operand_r.
///
/// An element is the sum of *chains*: runs of the rows, each one chain of fused products in the
/// order of the rows from 0 on. The chains are added to dW in their order. The bits therefore
/// depend only on the shapes, and are the same for every width of a vector.
public struct WeightGradientCall<Scalar> {
  /// W and K
  public var width: Int
  public var depth: Int
  /// The number of rows, and the capacity of the blocks.
  public var rows: Int
  public var capacity: Int
  public var deltas: UnsafePointer<Scalar>
  public var operands: UnsafePointer<Scalar>
  public var gradient: UnsafeMutablePointer<Scalar>  // [W, K], added to

  public init(
    width: Int, depth: Int, rows: Int, capacity: Int, deltas: UnsafePointer<Scalar>,
    operands: UnsafePointer<Scalar>, gradient: UnsafeMutablePointer<Scalar>
  ) {
    self.width = width
    self.depth = depth
    self.rows = rows
    self.capacity = capacity
    self.deltas = deltas
    self.operands = operands
    self.gradient = gradient
  }

  /// How many chains the rows are cut into. Long ones read and write the gradient less often, and
  /// their operands still fit in the second-level cache.
  @inlinable @inline(__always)
  public var chains: Int { (rows + 255) / 256 }

  /// The first row of a chain, or the end of the one before.
  @inlinable @inline(__always)
  public func start(ofChain index: Int) -> Int { rows * index / chains }
}

/// The gradient of a weight with so few columns that a vector of them would be mostly empty, together
/// with that of the bias, directly from rows:
///
///     sums_k += Σ_r x_rk delta_r,   sums_K += Σ_r delta_r
///
/// The rows of a call are one chain, which is added to the sums.
public struct NarrowGradientCall<Scalar> {
  /// W and K
  public var width: Int
  public var depth: Int
  public var rows: Int
  public var deltas: UnsafePointer<Scalar>  // [rows, W]
  public var operands: UnsafePointer<Scalar>  // [rows, K]
  public var sums: UnsafeMutablePointer<Scalar>  // [K + 1, W]

  public init(
    width: Int, depth: Int, rows: Int, deltas: UnsafePointer<Scalar>,
    operands: UnsafePointer<Scalar>, sums: UnsafeMutablePointer<Scalar>
  ) {
    self.width = width
    self.depth = depth
    self.rows = rows
    self.deltas = deltas
    self.operands = operands
    self.sums = sums
  }
}

/// Adds the sum of some rows, from the first to the last, with a chain for each column.
public struct ColumnSumsCall<Scalar> {
  public var rows: Int
  public var columns: Int
  public var source: UnsafePointer<Scalar>  // [rows, columns]
  public var sums: UnsafeMutablePointer<Scalar>  // [columns]

  public init(
    rows: Int, columns: Int, source: UnsafePointer<Scalar>, sums: UnsafeMutablePointer<Scalar>
  ) {
    self.rows = rows
    self.columns = columns
    self.source = source
    self.sums = sums
  }
}
