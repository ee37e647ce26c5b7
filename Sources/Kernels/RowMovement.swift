// SPDX-License-Identifier: Apache-2.0

import Tensors

/// Some columns of some rows of a matrix [rows, width], as the source or target of a copy.
public struct RowSelection {
  /// The rows, in order; only in a source may a row occur more than once.
  public var rows: [Int]
  /// The columns of the matrix.
  public var width: Int
  /// The first column taken.
  public var column: Int

  public init(_ rows: [Int], width: Int, column: Int = 0) {
    self.rows = rows
    self.width = width
    self.column = column
  }

  func check<Scalar>(_ tensor: Tensor<Scalar>, count: Int) {
    precondition(column >= 0 && column + count <= width, "columns beyond \(width)")
    precondition(
      rows.allSatisfy { $0 >= 0 && ($0 + 1) * width <= tensor.count },
      "rows beyond those of \(tensor.shape)")
  }
}

extension Tensor where Scalar: KernelScalar {
  /// Copies `count` columns from rows of another matrix to rows of this one.
  public func copy(
    _ count: Int, columnsOf source: Tensor, _ from: RowSelection, to target: RowSelection
  ) {
    move(count, source, from, target) { $0.update(from: $1, count: count) }
  }

  /// Adds `count` columns of rows of another matrix to rows of this one.
  @specialized(where Scalar == Float)
  public func add(
    _ count: Int, columnsOf source: Tensor, _ from: RowSelection, to target: RowSelection
  ) {
    move(count, source, from, target) { target, source in
      for index in 0..<count { target[index] += source[index] }
    }
  }

  private func move(
    _ count: Int, _ source: Tensor, _ from: RowSelection, _ target: RowSelection,
    _ body: (UnsafeMutablePointer<Scalar>, UnsafeMutablePointer<Scalar>) -> Void
  ) {
    precondition(from.rows.count == target.rows.count, "source and target differ in rows")
    from.check(source, count: count)
    target.check(self, count: count)
    for (a, b) in zip(from.rows, target.rows) {
      body(
        pointer + b * target.width + target.column,
        source.pointer + a * from.width + from.column)
    }
  }
}
