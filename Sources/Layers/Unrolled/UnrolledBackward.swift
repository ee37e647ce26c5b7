import Kernels
import Tensors

/// The backward pass of an unrolled layer, from step T to step 1.
struct UnrolledBackward<Scalar: KernelScalar> {
  private let pass: UnrolledPass<Scalar>
  private let gradients: ShardedBuffer<Scalar>
  private let dx: Tensor<Scalar>?  // [T, N, C]
  /// The gradient of each product's result in the current step, [N, W].
  private let dProducts: [Tensor<Scalar>]
  /// What flows back through a product before it is added, [N, ·].
  private let throughProduct: [Tensor<Scalar>]
  /// The gradient of the vectors, row by row, [N, D].
  private let dVectors: [Tensor<Scalar>]
  /// The gradients of products and what they multiplied, for a block of steps; see `ShardBlock`.
  private let deltas: [ShardBlock<Scalar>]
  private let operands: [ShardBlock<Scalar>]
  /// The gradient of a grouped product's weight, with what lies between the groups.
  private let dense: [Tensor<Scalar>]

  private var products: [CellProduct] { pass.products }
  private var T: Int { pass.input.steps }
  private var N: Int { pass.input.rows }
  private var block: Int { pass.blockSteps }

  init(_ pass: UnrolledPass<Scalar>, into gradients: ShardedBuffer<Scalar>, dx: Tensor<Scalar>?) {
    let (layer, memory, N) = (pass.layer, pass.memory, pass.input.rows)
    self.pass = pass
    self.gradients = gradients
    self.dx = dx
    func each(
      _ piece: String, _ shape: (CellProduct) -> [Int]
    ) -> [Tensor<Scalar>] {
      pass.products.enumerated().map { memory.tensor("\(piece)\($0)", shape($1)) }
    }
    dProducts = each("dProduct") { [N, $0.results] }
    throughProduct = each("through") { [N, layer.length(of: $0.operand)] }
    dVectors = memory.tensors("dVector", [N], pass.cell.vectors)
    let steps = min(pass.blockSteps, pass.input.steps)
    // Nobody asks for gradients of weights where there is no shard, and a convolution has rows
    // enough in one step.
    func rows(_ product: CellProduct) -> Int {
      gradients.shards > 0 && product.windows == nil ? steps * N : 0
    }
    deltas = each("deltas") { [rows($0), $0.width] }.map {
      ShardBlock($0, steps: steps, pass.input.rowStarts)
    }
    dense = each("dense") { $0.groups == 1 ? [0] : [$0.width, layer.length(of: $0.operand)] }
    operands = each("operands") { [rows($0), layer.length(of: $0.operand)] }.map {
      ShardBlock($0, steps: steps, pass.input.rowStarts)
    }
  }

  func run(_ gradient: OutputGradient<Scalar>, initial: LayerState<Scalar>?) {
    var after = pass.memory.tensors("dAfter", [N], pass.states)
    var before = pass.memory.tensors("dBefore", [N], pass.states)
    for (tensor, state) in zip(after, pass.states) {
      if let final = gradient.final?[state.name] {
        tensor.copy(from: final)
      } else {
        tensor.fill(0)
      }
    }
    if let last = gradient.lastStep { after[0].add(last, scale: 1) }
    for vector in dVectors { vector.fill(0) }
    for t in (0..<T).reversed() {
      pass.loadSegment(of: t)
      if let dy = gradient.steps { after[0].add(dy.row(t), scale: 1) }
      step(t, after, before)
      swap(&after, &before)
      if t % block == 0 { addWeightGradients(steps: min(block, T - t)) }
    }
    for (vector, dVector) in zip(pass.cell.vectors, dVectors) {
      for (shard, rows) in shards {
        gradients[shard][vector.name].addColumnSums(of: dVector.rows(rows))
      }
    }
    for (tensor, state) in zip(after, pass.states) { initial?[state.name]?.copy(from: tensor) }
  }

  /// The shards that have rows, and which.
  private var shards: [(index: Int, rows: Range<Int>)] {
    let starts = pass.input.rowStarts
    return (0..<gradients.shards).compactMap { shard in
      let rows = starts[shard]..<starts[shard + 1]
      return rows.isEmpty ? nil : (shard, rows)
    }
  }

  private func step(_ t: Int, _ after: [Tensor<Scalar>], _ before: [Tensor<Scalar>]) {
    let (statesBefore, statesAfter, tape) = (pass.before(t), pass.after(t), pass.tape(t))
    let (x, dInput) = (pass.x(t), dx?.row(t).reshaped([N, pass.layer.inputs]))
    dInput?.fill(0)
    for stage in (0..<pass.stages).reversed() {
      pass.cell.adjoint(
        CellAdjoint(
          index: pass.input.firstStep + t, stage: stage, times: pass.times(t), input: x,
          vectors: pass.vectors, before: statesBefore, after: statesAfter, tape: tape,
          scratch: pass.scratch, dAfter: after, dBefore: before, dInput: dInput,
          dProducts: dProducts, dVectors: dVectors))
      for (index, product) in products.enumerated() where product.stage == stage {
        guard case .updated(let state) = product.operand else { continue }
        addProduct(index, to: after[state])
        keep(index, t, operand: statesAfter[state])
      }
    }
    for (index, product) in products.enumerated() {
      switch product.operand {
      case .input:
        if let dInput { addProduct(index, to: dInput) }
        keep(index, t, operand: x)
      case .state(let state):
        addProduct(index, to: before[state])
        keep(index, t, operand: statesBefore[state])
      case .updated: break
      }
    }
  }

  /// Adds dp W.
  private func addProduct(_ index: Int, to target: Tensor<Scalar>) {
    if let windows = products[index].windows {
      return Convolution(windows, memory: pass.memory).multiplyTransposed(
        dProducts[index], by: pass.arranged.backward[index], addingTo: target)
    }
    pass.arranged.backward[index].multiply(dProducts[index], into: throughProduct[index])
    target.add(throughProduct[index], scale: 1)
  }

  private func keep(_ index: Int, _ t: Int, operand: Tensor<Scalar>) {
    guard gradients.shards > 0 else { return }
    if let windows = products[index].windows {
      return addConvolutionGradient(products[index], windows, dProducts[index], operand)
    }
    deltas[index].keep(dProducts[index], step: t % block)
    operands[index].keep(operand, step: t % block)
  }

  /// dW += Σ_t dp_tᵀ s_t and db += Σ_t dp_t over a block of steps, shard by shard.
  private func addWeightGradients(steps: Int) {
    for (shard, _) in shards {
      let target = gradients[shard]
      for (index, product) in products.enumerated() where product.windows == nil {
        let delta = deltas[index].rows(ofShard: shard, steps: steps)
        let operand = operands[index].rows(ofShard: shard, steps: steps)
        if product.groups == 1 {
          matrixProduct(delta, transposeA: true, operand, into: target[product.weight], keeping: 1)
        } else {
          matrixProduct(delta, transposeA: true, operand, into: dense[index])
          GroupedWeight(product).addBlocks(of: dense[index], to: target[product.weight])
        }
        if let bias = product.bias { target[bias].addColumnSums(of: delta) }
      }
    }
  }
}

extension UnrolledBackward {
  /// The gradients of a convolution's weight and bias in one step, shard by shard.
  private func addConvolutionGradient(
    _ product: CellProduct, _ windows: ImageWindows, _ delta: Tensor<Scalar>,
    _ operand: Tensor<Scalar>
  ) {
    let convolution = Convolution(windows, memory: pass.memory)
    for (shard, rows) in shards {
      let (target, delta) = (gradients[shard], delta.rows(rows))
      let weight = target[product.weight]
      convolution.addWeightGradient(
        delta, of: operand.rows(rows),
        to: weight.reshaped([product.width, weight.count / product.width]))
      if let bias = product.bias {
        target[bias].addColumnSums(
          of: delta.reshaped([rows.count * windows.places, product.width]))
      }
    }
  }
}

/// Rows of some steps, put so that those of a shard lie together: [shard][step][row, W].
private struct ShardBlock<Scalar: KernelScalar> {
  private let tensor: Tensor<Scalar>
  private let steps: Int
  private let rowStarts: [Int]

  init(_ tensor: Tensor<Scalar>, steps: Int, _ rowStarts: [Int]) {
    self.tensor = tensor
    self.steps = steps
    self.rowStarts = rowStarts
  }

  /// Takes over the rows [N, W] of a step.
  func keep(_ rows: Tensor<Scalar>, step: Int) {
    for shard in 0..<rowStarts.count - 1 {
      let own = rowStarts[shard]..<rowStarts[shard + 1]
      let first = own.lowerBound * steps + step * own.count
      tensor.rows(first..<first + own.count).copy(from: rows.rows(own))
    }
  }

  /// The rows of a shard in the first `count` steps.
  func rows(ofShard shard: Int, steps count: Int) -> Tensor<Scalar> {
    let own = rowStarts[shard]..<rowStarts[shard + 1]
    let first = own.lowerBound * steps
    return tensor.rows(first..<first + count * own.count)
  }
}
