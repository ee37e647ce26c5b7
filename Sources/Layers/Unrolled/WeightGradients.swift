import KernelInterface
import Kernels
import Tensors

/// The gradients of a layer's weights and biases, shard by shard.
///
///     dW = Σ_t dp_tᵀ s_t,   db = Σ_t dp_t
///
/// The rows of a block of steps are kept, the last step's first, before they are multiplied; a
/// convolution has rows enough in one step.
struct WeightGradients<Scalar: KernelScalar> {
  /// What a shard adds to, and the rows that it has kept.
  private struct Shard {
    let rows: Range<Int>
    let weights: [Tensor<Scalar>]
    let biases: [Tensor<Scalar>?]
    /// By the product; products that are added share their deltas, those of one operand it.
    let deltas: [RowBlock<Scalar>]
    let operands: [RowBlock<Scalar>]
  }

  private let products: [CellProduct]
  private let memory: LayerMemory<Scalar>
  private let shards: [Shard]
  /// The product whose deltas, and whose operands, are those of each product.
  private let deltaOwners: [Int]
  private let operandOwners: [Int]
  /// The gradient of a grouped product's weight, with what lies between the groups.
  private let dense: [Tensor<Scalar>]

  init(_ pass: UnrolledPass<Scalar>, into gradients: ShardedBuffer<Scalar>) {
    let (products, memory) = (pass.products, pass.memory)
    let steps = min(pass.blockSteps, pass.input.steps)
    let starts = pass.input.rowStarts
    self.products = products
    self.memory = memory
    deltaOwners = products.indices.map { products[$0].addsTo ?? $0 }
    operandOwners = products.indices.map { index in
      products.firstIndex { $0.sharesOperand(with: products[index]) }!
    }
    func blocks(
      _ role: GradientRole, _ columns: [Int], _ owners: [Int]
    ) -> [[RowBlock<Scalar>]] {
      var all: [[RowBlock<Scalar>]] = []
      for (index, columns) in columns.enumerated() {
        guard owners[index] == index else {
          all.append(all[owners[index]])
          continue
        }
        let rows = (0..<gradients.shards).map {
          products[index].windows == nil ? steps * (starts[$0 + 1] - starts[$0]) : 0
        }
        let counts = rows.map { RowBlock<Scalar>.count(role, rows: $0, columns: columns) }
        let whole = memory.tensor("\(role)\(index)", [counts.reduce(0, +)])
        var next = 0
        all.append(
          zip(rows, counts).map { rows, count in
            defer { next += count }
            return RowBlock(
              role, rows: rows, columns: columns, in: whole.elements(next..<next + count))
          })
      }
      return all
    }
    let lengths = products.map { pass.layer.length(of: $0.operand) }
    let deltas = blocks(.delta, products.map(\.width), deltaOwners)
    let operands = blocks(.operand, lengths, operandOwners)
    shards = (0..<gradients.shards).compactMap { shard -> Shard? in
      let rows = starts[shard]..<starts[shard + 1]
      guard !rows.isEmpty else { return nil }
      let target = gradients[shard]
      return Shard(
        rows: rows, weights: products.map { target[$0.weight] },
        biases: products.map { $0.bias.map { target[$0] } }, deltas: deltas.map { $0[shard] },
        operands: operands.map { $0[shard] })
    }
    dense = products.enumerated().map { index, product in
      memory.tensor(
        "dense\(index)", product.groups == 1 ? [0] : [product.width, lengths[index]])
    }
  }

  /// Keeps the rows of a product in one step, [N, ·] each.
  ///
  /// - Parameter step: how many steps of the block are kept already
  func keep(_ index: Int, _ delta: Tensor<Scalar>, _ operand: Tensor<Scalar>, step: Int) {
    for shard in shards {
      if let windows = products[index].windows {
        addConvolution(
          index, windows, delta.rows(shard.rows), operand.rows(shard.rows), to: shard)
        continue
      }
      let first = step * shard.rows.count
      if deltaOwners[index] == index {
        shard.deltas[index].keep(
          delta.rows(shard.rows), at: first, addingTo: shard.biases[index])
      }
      if operandOwners[index] == index {
        shard.operands[index].keep(operand.rows(shard.rows), at: first)
      }
    }
  }

  /// Adds the gradients of the weights from so many steps.
  func add(steps: Int) {
    for shard in shards {
      let rows = steps * shard.rows.count
      for (index, product) in products.enumerated() where product.windows == nil {
        let (deltas, operands) = (shard.deltas[index], shard.operands[index])
        if product.groups == 1 {
          shard.weights[index].addWeightGradient(deltas, operands, rows: rows)
        } else {
          dense[index].fill(0)
          dense[index].addWeightGradient(deltas, operands, rows: rows)
          GroupedWeight(product).addBlocks(of: dense[index], to: shard.weights[index])
        }
      }
    }
  }
}

extension WeightGradients {
  /// Adds the gradients of a convolution's weight and bias from one step.
  private func addConvolution(
    _ index: Int, _ windows: ImageWindows, _ delta: Tensor<Scalar>, _ operand: Tensor<Scalar>,
    to shard: Shard
  ) {
    let (width, weight) = (products[index].width, shard.weights[index])
    Convolution(windows, memory: memory).addWeightGradient(
      delta, of: operand, to: weight.reshaped([width, weight.count / width]))
    shard.biases[index]?.addColumnSums(of: delta.reshaped([delta.count / width, width]))
  }
}

extension CellProduct {
  /// Whether both multiply the same numbers. A state that the stages update is another one in each.
  fileprivate func sharesOperand(with other: CellProduct) -> Bool {
    guard operand == other.operand else { return false }
    if case .updated = operand { return stage == other.stage }
    return true
  }
}
