// SPDX-License-Identifier: Apache-2.0

import KernelInterface
import Kernels
import Tensors

/// The gradients of a layer's weights and biases, shard by shard.
///
///     dW = Σ_t dp_tᵀ s_t,   db = Σ_t dp_t
///
/// The rows of a block of steps are kept, the last step first, before they are multiplied. A
/// convolution has enough rows in one step, and a narrow weight needs no block.
struct WeightGradients<Scalar: KernelScalar> {
  /// The gradients that a shard adds to, and the rows that it has kept.
  private struct Shard {
    let rows: Range<Int>
    let weights: [Tensor<Scalar>]
    let biases: [Tensor<Scalar>?]
    /// The deltas by product. Products that are added together share their deltas, and products of
    /// one operand share the operand.
    let deltas: [RowBlock<Scalar>]
    let operands: [RowBlock<Scalar>]
    /// The sums of a narrow product, as in `addNarrowGradient`; nil for others.
    let narrow: [Tensor<Scalar>?]
  }

  /// How the gradient of a product is computed.
  private enum Way {
    case blocks
    case narrow
    case convolution(ImageWindows)
    case depthwise(ImageWindows)

    init(_ product: CellProduct, length: Int) {
      if let windows = product.windows {
        self = product.isDepthwise ? .depthwise(windows) : .convolution(windows)
      } else {
        // At most a vector of columns, most of which would be empty.
        self = product.groups == 1 && length <= 16 ? .narrow : .blocks
      }
    }

    var hasBlocks: Bool { if case .blocks = self { true } else { false } }
    var isNarrow: Bool { if case .narrow = self { true } else { false } }
  }

  private let products: [CellProduct]
  private let ways: [Way]
  private let memory: LayerMemory<Scalar>
  private let shards: [Shard]
  /// For each product, the product whose deltas and operands are kept for it; nil if none are.
  private let deltaOwners: [Int?]
  private let operandOwners: [Int?]
  /// The gradient of a grouped product's weight, including the elements between the groups.
  private let dense: [Tensor<Scalar>]

  init(_ pass: UnrolledPass<Scalar>, into gradients: ShardedBuffer<Scalar>) {
    let (products, memory) = (pass.products, pass.memory)
    let lengths = products.map { pass.layer.length(of: $0.operand) }
    let ways = zip(products, lengths).map { Way($0, length: $1) }
    (self.products, self.memory, self.ways) = (products, memory, ways)
    func owners(_ isShared: (Int, Int) -> Bool) -> [Int?] {
      products.indices.map { index in
        !ways[index].hasBlocks
          ? nil : products.indices.first { ways[$0].hasBlocks && isShared($0, index) }
      }
    }
    deltaOwners = owners { (products[$0].addsTo ?? $0) == (products[$1].addsTo ?? $1) }
    operandOwners = owners { products[$0].sharesOperand(with: products[$1]) }
    let starts = pass.input.rowStarts
    let rows = (0..<gradients.shards).map { starts[$0]..<starts[$0 + 1] }
    let capacities = rows.map { min(pass.blockSteps, pass.input.steps) * $0.count }
    let deltas = Self.blocks(
      .delta, of: deltaOwners, columns: products.map(\.width), capacities, in: memory)
    let operands = Self.blocks(
      .operand, of: operandOwners, columns: lengths, capacities, in: memory)
    let narrow = products.indices.map { index in
      memory.tensor(
        "narrow\(index)",
        [gradients.shards, ways[index].isNarrow ? lengths[index] + 1 : 0, products[index].width])
    }
    for sums in narrow { sums.fill(0) }
    shards = rows.enumerated().compactMap { shard, rows -> Shard? in
      guard !rows.isEmpty else { return nil }
      let target = gradients[shard]
      return Shard(
        rows: rows, weights: products.map { target[$0.weight] },
        biases: products.map { $0.bias.map { target[$0] } }, deltas: deltas.map { $0[shard] },
        operands: operands.map { $0[shard] },
        narrow: products.indices.map { ways[$0].isNarrow ? narrow[$0].row(shard) : nil })
    }
    dense = products.enumerated().map { index, product in
      memory.tensor(
        "dense\(index)", product.groups == 1 ? [0] : [product.width, lengths[index]])
    }
  }

  /// The blocks of each product and shard. A product without an owner has blocks of no rows.
  private static func blocks(
    _ role: GradientRole, of owners: [Int?], columns: [Int], _ capacities: [Int],
    in memory: LayerMemory<Scalar>
  ) -> [[RowBlock<Scalar>]] {
    var all: [[RowBlock<Scalar>]] = []
    for (index, owner) in owners.enumerated() {
      if let owner, owner < index {
        all.append(all[owner])
        continue
      }
      let rows = capacities.map { owner == nil ? 0 : $0 }
      let counts = rows.map {
        RowBlock<Scalar>.count(role, rows: $0, columns: columns[index])
      }
      let whole = memory.tensor("\(role)\(index)", [counts.reduce(0, +)])
      var next = 0
      all.append(
        zip(rows, counts).map { rows, count in
          defer { next += count }
          return RowBlock(
            role, rows: rows, columns: columns[index], in: whole.elements(next..<next + count))
        })
    }
    return all
  }

  /// Keeps the rows of a product in one step, [N, ·] each.
  ///
  /// - Parameter step: the number of steps of the block that are kept already
  func keep(_ index: Int, _ delta: Tensor<Scalar>, _ operand: Tensor<Scalar>, step: Int) {
    for shard in shards {
      switch ways[index] {
      case .blocks:
        let first = step * shard.rows.count
        if deltaOwners[index] == index {
          shard.deltas[index].keep(delta, shard.rows, at: first, addingTo: shard.biases[index])
        }
        if operandOwners[index] == index {
          shard.operands[index].keep(operand, shard.rows, at: first)
        }
      case .narrow:
        shard.narrow[index]?.addNarrowGradient(delta, operand, shard.rows)
      case .convolution(let windows):
        let (width, weight) = (products[index].width, shard.weights[index])
        let delta = delta.rows(shard.rows)
        Convolution(windows, memory: memory).addWeightGradient(
          delta, of: operand.rows(shard.rows), to: weight.reshaped([width, weight.count / width]))
        shard.biases[index]?.addColumnSums(of: delta.reshaped([delta.count / width, width]))
      case .depthwise(let windows):
        DepthwiseConvolution(windows, memory: memory).addWeightGradient(
          delta.rows(shard.rows), of: operand.rows(shard.rows), to: shard.weights[index])
      }
    }
  }

  /// Adds the gradients of the weights from the first `steps` steps that are kept.
  func add(steps: Int) {
    for shard in shards {
      let rows = steps * shard.rows.count
      for (index, product) in products.enumerated() where ways[index].hasBlocks {
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

  /// Adds the sums of narrow products.
  func finish() {
    for shard in shards {
      for index in products.indices {
        guard let sums = shard.narrow[index] else { continue }
        let K = sums.shape[0] - 1
        shard.weights[index].addTranspose(of: sums.rows(0..<K))
        shard.biases[index]?.add(sums.row(K), scale: 1)
      }
    }
  }
}

extension CellProduct {
  /// Whether both multiply the same numbers. A state that the stages update differs in each.
  fileprivate func sharesOperand(with other: CellProduct) -> Bool {
    guard operand == other.operand else { return false }
    if case .updated = operand { return stage == other.stage }
    return true
  }
}
