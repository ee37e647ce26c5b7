// SPDX-License-Identifier: Apache-2.0

import KernelInterface
import Tensors

/// Rows that are collected, step by step, for weight gradients. They are the gradients of a
/// product's result (deltas) or the vectors that were multiplied (operands), for the rows of one
/// shard.
public struct RowBlock<Scalar: KernelScalar> {
  let role: GradientRole
  let columns: Int
  let capacity: Int
  let memory: Tensor<Scalar>
  let kernels: any LayerKernels<Scalar>.Type

  /// The size of a block's memory in numbers, on the current backend.
  public static func count(_ role: GradientRole, rows: Int, columns: Int) -> Int {
    Scalar.kernels(on: .current).rowBlockCount(role, rows: rows, columns: columns)
  }

  /// - Parameters:
  ///   - role: whether the rows are deltas or operands
  ///   - rows: the capacity in rows
  ///   - columns: the width of a row
  ///   - memory: `count` scalars, with any content
  public init(_ role: GradientRole, rows: Int, columns: Int, in memory: Tensor<Scalar>) {
    kernels = Scalar.kernels(on: .current)
    precondition(
      memory.count == kernels.rowBlockCount(role, rows: rows, columns: columns),
      "\(memory.shape) numbers for a block of \(rows) rows of \(columns)")
    (self.role, self.columns, capacity, self.memory) = (role, columns, rows, memory)
  }

  /// Copies rows into the block.
  ///
  /// - Parameters:
  ///   - rows: [N, columns]
  ///   - range: which of them to copy
  ///   - first: the number of rows already in the block
  ///   - sums: [columns], to which the rows are added, from the first to the last; nil adds nothing
  public func keep(
    _ rows: Tensor<Scalar>, _ range: Range<Int>, at first: Int,
    addingTo sums: Tensor<Scalar>? = nil
  ) {
    // A pointer is cheaper than a view of the rows, and this runs for every shard in every time
    // step.
    precondition(
      rows.count == rows.shape[0] * columns && range.lowerBound >= 0
        && range.upperBound <= rows.shape[0] && first >= 0 && first + range.count <= capacity
        && (sums == nil || sums!.count == columns),
      "\(range) of \(rows.shape) into rows \(first)... of \(capacity) rows of \(columns)")
    kernels.keep(
      RowBlockCall(
        role, columns: columns, capacity: capacity, first: first, rows: range.count,
        source: UnsafePointer(rows.pointer + range.lowerBound * columns), block: memory.pointer,
        sums: sums?.pointer))
  }
}

extension Tensor where Scalar: KernelScalar {
  /// Adds the gradient of a weight [W, K], Σ_r delta_rᵀ operand_r over the first rows of two
  /// blocks.
  ///
  /// The order of sums depends only on the shapes; see `WeightGradientCall`.
  public func addWeightGradient(
    _ deltas: RowBlock<Scalar>, _ operands: RowBlock<Scalar>, rows: Int
  ) {
    precondition(
      deltas.role == .delta && operands.role == .operand && deltas.capacity == operands.capacity
        && shape == [deltas.columns, operands.columns] && rows <= deltas.capacity,
      "\(rows) rows of \(deltas.columns) and \(operands.columns) columns for \(shape)")
    deltas.kernels.addWeightGradient(
      WeightGradientCall(
        width: deltas.columns, depth: operands.columns, rows: rows, capacity: deltas.capacity,
        deltas: UnsafePointer(deltas.memory.pointer),
        operands: UnsafePointer(operands.memory.pointer), gradient: pointer))
  }

  /// Adds the gradient of a weight [W, K] directly from rows, dyᵀ x, in chains of rows as in
  /// `WeightGradientCall`. The order of sums depends only on the shapes.
  ///
  /// - Parameters:
  ///   - dy: [R, W]
  ///   - x: [R, K]
  public func addProductGradient(_ dy: Tensor<Scalar>, _ x: Tensor<Scalar>) {
    let (R, W, K) = (dy.shape[0], shape[0], shape[1])
    precondition(
      dy.count == R * W && x.count == R * K, "the gradient \(shape) of \(dy.shape) and \(x.shape)")
    let kernels = Scalar.kernels(on: .current)
    let chains = (R + 255) / 256
    for chain in 0..<chains {
      let (first, end) = (R * chain / chains, R * (chain + 1) / chains)
      let rows = WindowGrid(
        lines: 1, places: end - first, lineStep: 0, placeStep: K, runs: 1, run: K, runStep: 0)
      kernels.addConvolutionGradient(
        ConvolutionGradientCall(
          rows, width: W, deltas: UnsafePointer(dy.pointer + first * W),
          map: UnsafePointer(x.pointer + first * K), gradient: pointer))
    }
  }

  /// Adds the gradients of a weight [W, K] and of its bias to [K + 1, W], transposed: Σ_r x_rk
  /// delta_r, then Σ_r delta_r. For few columns it is faster than blocks of rows.
  ///
  /// - Parameters:
  ///   - deltas: [N, W]
  ///   - operands: x [N, K]
  ///   - range: which of their rows
  public func addNarrowGradient(
    _ deltas: Tensor<Scalar>, _ operands: Tensor<Scalar>, _ range: Range<Int>
  ) {
    let (N, W, K) = (deltas.shape[0], shape[1], shape[0] - 1)
    precondition(
      operands.count == N * K && deltas.count == N * W && range.lowerBound >= 0
        && range.upperBound <= N,
      "\(range) of \(deltas.shape) and \(operands.shape) into \(shape)")
    guard !range.isEmpty else { return }
    Scalar.kernels(on: .current).addNarrowGradient(
      NarrowGradientCall(
        width: W, depth: K, rows: range.count,
        deltas: UnsafePointer(deltas.pointer + range.lowerBound * W),
        operands: UnsafePointer(operands.pointer + range.lowerBound * K), sums: pointer))
  }

  /// Adds the transpose of a matrix [K, W] to this one, [W, K].
  public func addTranspose(of matrix: Tensor<Scalar>) {
    let (W, K) = (shape[0], shape[1])
    precondition(matrix.shape == [K, W], "the transpose of \(matrix.shape) to \(shape)")
    for w in 0..<W {
      for k in 0..<K { pointer[w * K + k] += matrix.pointer[k * W + w] }
    }
  }
}
