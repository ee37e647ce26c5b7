// SPDX-License-Identifier: Apache-2.0

import Kernels
import Tensors

/// The backward pass of an unrolled layer, from step T to step 1.
struct UnrolledBackward<Scalar: KernelScalar> {
  private let pass: UnrolledPass<Scalar>
  private let dx: Tensor<Scalar>?  // [T, N, C]
  /// The gradient of each product's result in the current step, [N, W].
  private let dProducts: [Tensor<Scalar>]
  /// The gradient of the vectors, [groups, D], one group per shard if there are shards.
  private let dVectors: [Tensor<Scalar>]
  private let groupStarts: [Int]
  /// Collects the gradients of weights, block of steps by block; nil if they are not needed.
  private let weights: WeightGradients<Scalar>?
  private let gradients: ShardedBuffer<Scalar>

  private var T: Int { pass.input.steps }
  private var N: Int { pass.input.rows }
  private var block: Int { pass.blockSteps }

  init(_ pass: UnrolledPass<Scalar>, into gradients: ShardedBuffer<Scalar>, dx: Tensor<Scalar>?) {
    let (memory, N) = (pass.memory, pass.input.rows)
    self.pass = pass
    self.gradients = gradients
    self.dx = dx
    var dProducts: [Tensor<Scalar>] = []
    for (index, product) in pass.products.enumerated() {
      dProducts.append(
        product.addsTo.map { dProducts[$0] }
          ?? memory.tensor("dProduct\(index)", [N, product.results]))
    }
    self.dProducts = dProducts
    groupStarts = gradients.shards > 0 ? pass.input.rowStarts : [0, N]
    dVectors = memory.tensors("dVector", [groupStarts.count - 1], pass.cell.vectors)
    weights = gradients.shards > 0 ? WeightGradients(pass, into: gradients) : nil
  }

  @specialized(where Scalar == Float)
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
    var kept = 0
    for t in (0..<T).reversed() {
      pass.loadSegment(of: t)
      if let dy = gradient.steps { after[0].add(dy.row(t), scale: 1) }
      step(t, after, before, kept: kept)
      swap(&after, &before)
      kept += 1
      if t % block == 0 {
        weights?.add(steps: kept)
        kept = 0
      }
    }
    weights?.finish()
    for shard in 0..<gradients.shards {
      for (vector, dVector) in zip(pass.cell.vectors, dVectors) {
        gradients[shard][vector.name].add(dVector.row(shard), scale: 1)
      }
    }
    for (tensor, state) in zip(after, pass.states) { initial?[state.name]?.copy(from: tensor) }
  }

  /// - Parameter kept: the steps of the block that have run backward
  private func step(
    _ t: Int, _ after: [Tensor<Scalar>], _ before: [Tensor<Scalar>], kept: Int
  ) {
    let (statesBefore, statesAfter, tape) = (pass.before(t), pass.after(t), pass.tape(t))
    let (x, dInput) = (pass.x(t), dx?.row(t).reshaped([N, pass.layer.inputs]))
    dInput?.fill(0)
    for stage in (0..<pass.stages).reversed() {
      pass.cell.adjoint(
        CellAdjoint(
          index: pass.input.firstStep + t, stage: stage, times: pass.times(t), input: x,
          vectors: pass.vectors, before: statesBefore, after: statesAfter, tape: tape,
          scratch: pass.scratch, dAfter: after, dBefore: before, dInput: dInput,
          dProducts: dProducts, dVectors: dVectors, groupStarts: groupStarts))
      for (index, product) in pass.products.enumerated() where product.stage == stage {
        guard case .updated(let state) = product.operand else { continue }
        addProduct(index, to: after[state])
        weights?.keep(index, dProducts[index], statesAfter[state], step: kept)
      }
    }
    for (index, product) in pass.products.enumerated() {
      switch product.operand {
      case .input:
        if let dInput { addProduct(index, to: dInput) }
        weights?.keep(index, dProducts[index], x, step: kept)
      case .state(let state):
        addProduct(index, to: before[state])
        weights?.keep(index, dProducts[index], statesBefore[state], step: kept)
      case .updated: break
      }
    }
  }

  /// Adds dp W.
  private func addProduct(_ index: Int, to target: Tensor<Scalar>) {
    let matrix = pass.arranged.backward[index]
    guard let windows = pass.products[index].windows else {
      return matrix.multiply(dProducts[index], addingTo: target)
    }
    if let filters = pass.filters[index] {
      return DepthwiseConvolution(windows, memory: pass.memory).addInputGradient(
        dProducts[index], by: filters, to: target)
    }
    Convolution(windows, memory: pass.memory).addInputGradient(
      dProducts[index], by: matrix, to: target)
  }
}
