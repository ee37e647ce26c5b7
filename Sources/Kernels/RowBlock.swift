import KernelInterface
import Tensors

/// Rows of one kind, collected step by step for gradients of weights: of the rows of a shard, the
/// gradients of a product's result (deltas) or what was multiplied (operands).
public struct RowBlock<Scalar: KernelScalar> {
  let role: GradientRole
  let columns: Int
  let capacity: Int
  let memory: Tensor<Scalar>
  let kernels: any LayerKernels<Scalar>.Type

  /// How many numbers the memory of a block holds, on the current backend.
  public static func count(_ role: GradientRole, rows: Int, columns: Int) -> Int {
    Scalar.kernels(on: .current).rowBlockCount(role, rows: rows, columns: columns)
  }

  /// - Parameters:
  ///   - rows: how many it has room for
  ///   - memory: `count` numbers, of any content
  public init(_ role: GradientRole, rows: Int, columns: Int, in memory: Tensor<Scalar>) {
    kernels = Scalar.kernels(on: .current)
    precondition(
      memory.count == kernels.rowBlockCount(role, rows: rows, columns: columns),
      "\(memory.shape) numbers for a block of \(rows) rows of \(columns)")
    (self.role, self.columns, capacity, self.memory) = (role, columns, rows, memory)
  }

  /// Takes over rows.
  ///
  /// - Parameters:
  ///   - rows: [rows, columns]
  ///   - first: how many rows there are already
  ///   - sums: [columns], to which the rows are added from the first to the last; nil adds them
  ///     nowhere
  public func keep(_ rows: Tensor<Scalar>, at first: Int, addingTo sums: Tensor<Scalar>? = nil) {
    let count = rows.shape[0]
    precondition(
      rows.count == count * columns && first >= 0 && first + count <= capacity
        && (sums == nil || sums!.count == columns),
      "\(rows.shape) into rows \(first)... of a block of \(capacity) rows of \(columns)")
    kernels.keep(
      RowBlockCall(
        role, columns: columns, capacity: capacity, first: first, rows: count,
        source: UnsafePointer(rows.pointer), block: memory.pointer, sums: sums?.pointer))
  }
}

extension Tensor where Scalar: KernelScalar {
  /// Adds the gradient of a weight [W, K], Σ_r delta_rᵀ operand_r over the first rows of two blocks.
  ///
  /// Its bits follow from the shapes alone; see `WeightGradientCall`.
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
}
