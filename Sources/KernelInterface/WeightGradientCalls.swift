// SPDX-License-Identifier: Apache-2.0

/// The role of rows in the gradient of a weight, dW [W, K] = Σ_r delta_rᵀ operand_r.
public enum GradientRole: Sendable, Hashable {
  /// The gradient of a product's result, W columns.
  case delta
  /// The vector that was multiplied, K columns.
  case operand
}

/// Rows to be arranged for weight gradients: in each time step, the rows of a shard are added to a
/// block.
public struct RowBlockCall<Scalar> {
  /// Whether the rows are deltas or operands, which are arranged differently.
  public var role: GradientRole
  /// W of deltas, K of operands.
  public var columns: Int
  /// The capacity of the block in rows.
  public var capacity: Int
  /// The number of rows already in the block.
  public var first: Int
  /// The rows to add.
  public var rows: Int
  /// [rows, columns].
  public var source: UnsafePointer<Scalar>
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
/// Consecutive rows form a *chain*, whose products are added one after the other, from the first
/// row to the last. The chains are then added to dW in order. The bits therefore depend only on the
/// shapes, and are the same for every vector width.
public struct WeightGradientCall<Scalar> {
  /// W, the columns of the deltas.
  public var width: Int
  /// K, the columns of the operands.
  public var depth: Int
  /// The number of rows.
  public var rows: Int
  /// The capacity of the blocks in rows.
  public var capacity: Int
  /// The block of the deltas.
  public var deltas: UnsafePointer<Scalar>
  /// The block of the operands.
  public var operands: UnsafePointer<Scalar>
  /// dW [W, K], added to.
  public var gradient: UnsafeMutablePointer<Scalar>

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

  /// The number of chains. Long chains read and write the gradient less often, and the operands of
  /// 256 rows still fit in the second-level cache.
  @inlinable @inline(__always)
  public var chains: Int { (rows + 255) / 256 }

  /// The first row of a chain, which is the end of the chain before it.
  @inlinable @inline(__always)
  public func start(ofChain index: Int) -> Int { rows * index / chains }
}

/// The gradients of a bias and of a weight with so few columns that a vector would be mostly empty,
/// computed directly from rows.
///
///     sums_k += Σ_r x_rk delta_r,   sums_K += Σ_r delta_r
///
/// The rows of a call are one chain, which is added to the sums.
public struct NarrowGradientCall<Scalar> {
  /// W, the columns of the deltas.
  public var width: Int
  /// K, the columns of the operands.
  public var depth: Int
  /// The number of rows.
  public var rows: Int
  /// [rows, W].
  public var deltas: UnsafePointer<Scalar>
  /// [rows, K].
  public var operands: UnsafePointer<Scalar>
  /// [K + 1, W], the sums of the equation; added to.
  public var sums: UnsafeMutablePointer<Scalar>

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

/// Adds rows, from the first to the last: sums += Σ_r row_r.
public struct ColumnSumsCall<Scalar> {
  /// The rows to sum.
  public var rows: Int
  /// The columns, each with its own sum.
  public var columns: Int
  /// [rows, columns].
  public var source: UnsafePointer<Scalar>
  /// [columns], added to.
  public var sums: UnsafeMutablePointer<Scalar>

  public init(
    rows: Int, columns: Int, source: UnsafePointer<Scalar>, sums: UnsafeMutablePointer<Scalar>
  ) {
    self.rows = rows
    self.columns = columns
    self.source = source
    self.sums = sums
  }
}
