// SPDX-License-Identifier: Apache-2.0

import Kernels
import Tensors

/// A pass of an unrolled layer over a batch.
///
/// Time is cut into *segments* of L steps: L = T if everything is kept, L = k if only the state of
/// every k-th step is kept. The pass holds the states and the tape of one segment at a time. The
/// output, which is the first state, is kept for all steps.
final class UnrolledPass<Scalar: KernelScalar>: LayerPass {
  /// The number of steps whose input products are computed together. With few rows, it is large
  /// enough to make up for loading the weights from memory. With many rows it is one, so that the
  /// results stay in the cache.
  private let inputSteps: Int

  let layer: UnrolledLayer<Scalar>
  let cell: any RecurrentCell<Scalar>
  let input: SequenceInput<Scalar>
  let arranged: ArrangedWeights<Scalar>
  let memory: LayerMemory<Scalar>
  let products: [CellProduct]
  let stages: Int
  let blockSteps: Int
  let states: [NamedShape]
  private let readsTimes: Bool
  let vectors: [Tensor<Scalar>]
  private let biases: [Tensor<Scalar>?]
  /// The filters of depthwise convolutions [C, K, K].
  let filters: [Tensor<Scalar>?]
  private let keepsActivations: Bool
  private let keepsFinal: Bool

  let output: Tensor<Scalar>  // [T, N, H]
  private(set) var final: LayerState<Scalar>?

  /// L, and the first step of the current segment.
  let segment: Int
  private(set) var segmentStart = 0
  /// The first state before step 1.
  private var initialOutput: Tensor<Scalar>
  /// The other states before the steps of the segment and after its last, [L + 1, N, ·] each.
  private let kept: [Tensor<Scalar>]
  /// The other states before each segment, [segments, N, ·] each; empty if there is one segment.
  private let starts: [Tensor<Scalar>]
  private let tape: [Tensor<Scalar>]  // [L, N, ·]
  private let isTapeLarge: Bool
  let scratch: [Tensor<Scalar>]  // [N, ·]
  /// The results of the products: of the input for a block of steps [block·N, W], else [N, W].
  private let results: [Tensor<Scalar>]
  /// The steps whose input products are computed.
  private var multiplied = 0..<0

  private var T: Int { input.steps }
  private var N: Int { input.rows }

  init(
    _ layer: UnrolledLayer<Scalar>, _ input: SequenceInput<Scalar>,
    _ parameters: ParameterBuffer<Scalar>, _ arranged: ArrangedWeights<Scalar>,
    keeping: LayerKeeping, memory: LayerMemory<Scalar>
  ) {
    let cell = layer.cell
    precondition(
      arranged.forward.count == cell.products.count, "the layer was run before it was prepared")
    (self.layer, self.cell, self.input, self.arranged) = (layer, cell, input, arranged)
    self.memory = memory
    products = cell.products
    stages = cell.stages
    readsTimes = cell.readsTimes
    states = cell.states
    vectors = cell.vectors.map { parameters[$0.name] }
    biases = products.map { $0.bias.map { parameters[$0] } }
    filters = products.map { $0.isDepthwise ? parameters[$0.weight] : nil }
    keepsActivations = keeping.contains(.activations)
    keepsFinal = keeping.contains(.finalState)
    let (T, N) = (input.steps, input.rows)
    // A pass that keeps no activations holds one step.
    segment =
      !keepsActivations
      ? 1 : layer.recomputeEvery > 0 ? min(layer.recomputeEvery, max(T, 1)) : max(T, 1)
    output = memory.tensor("y", [T, N] + states[0].shape)
    let others = Array(states.dropFirst())
    kept = memory.tensors("state", [segment + 1, N], others)
    starts =
      keepsActivations && segment < T
      ? memory.tensors("start", [(T - 1) / segment + 1, N], others) : []
    tape = memory.tensors("tape", [segment, N], cell.tape)
    isTapeLarge = tape.reduce(0) { $0 + $1.count } > 1 << 21
    scratch = memory.tensors("scratch", [N], cell.scratch)
    initialOutput = memory.tensor("initial", [N] + states[0].shape)
    blockSteps = layer.blockSteps
    inputSteps = max(min(blockSteps, 128 / max(N, 1), T), 1)
    var results: [Tensor<Scalar>] = []
    for (index, product) in products.enumerated() {
      let steps = product.operand == .input ? inputSteps : 1
      results.append(
        product.addsTo.map { results[$0] }
          ?? memory.tensor("product\(index)", [steps * N, product.results]))
    }
    self.results = results
  }

  // MARK: Forward

  @specialized(where Scalar == Float)
  func run(from state: LayerState<Scalar>?) {
    guard N > 0 else { return }
    func start(_ index: Int, _ target: Tensor<Scalar>) {
      if let tensor = state?[states[index].name] {
        target.copy(from: tensor)
      } else {
        target.fill(0)
      }
    }
    start(0, initialOutput)
    for index in kept.indices { start(index + 1, kept[index].row(0)) }
    for t in 0..<T {
      if t % segment == 0 { enterSegment(at: t) }
      step(t)
    }
    if keepsFinal {
      final = LayerState(
        states.enumerated().compactMap { index, state in
          cell.restartingStates.contains(state.name)
            ? nil : (state.name, (index == 0 ? outputs(before: T) : after(T - 1)[index]).copy())
        })
    }
  }

  /// Enters the next segment, whose first states are the last ones of the segment before.
  private func enterSegment(at t: Int) {
    if t > 0 { for tensor in kept { tensor.row(0).copy(from: tensor.row(segment)) } }
    for (start, tensor) in zip(starts, kept) { start.row(t / segment).copy(from: tensor.row(0)) }
    segmentStart = t
  }

  /// Makes sure that states and tape are those of the segment with step t.
  func loadSegment(of t: Int) {
    let start = t / segment * segment
    guard start != segmentStart else { return }
    for (from, tensor) in zip(starts, kept) { tensor.row(0).copy(from: from.row(start / segment)) }
    segmentStart = start
    multiplied = 0..<0
    for step in start..<min(start + segment, T) { self.step(step) }
  }

  @specialized(where Scalar == Float)
  private func step(_ t: Int) {
    if !multiplied.contains(t) { multiplyInputs(from: t) }
    let (before, after, tape, results) = (before(t), after(t), tape(t), results(t))
    for stage in 0..<stages {
      multiply(stage, before, after, into: results)
      cell.step(
        CellStep(
          index: input.firstStep + t, stage: stage, times: times(t), input: x(t),
          products: results, vectors: vectors, before: before, after: after, tape: tape,
          isTapeLarge: isTapeLarge, scratch: scratch))
    }
  }

  /// Computes the products of the states of one stage.
  private func multiply(
    _ stage: Int, _ before: [Tensor<Scalar>], _ after: [Tensor<Scalar>],
    into results: [Tensor<Scalar>]
  ) {
    for (index, product) in products.enumerated() where product.stage == stage {
      let operand: Tensor<Scalar>
      switch product.operand {
      case .input: continue
      case .state(let state): operand = before[state]
      case .updated(let state): operand = after[state]
      }
      multiply(index, operand, into: results[index])
    }
  }

  /// Computes one product of whole rows, added to another result or written.
  private func multiply(_ index: Int, _ operand: Tensor<Scalar>, into result: Tensor<Scalar>) {
    let matrix = arranged.forward[index]
    guard let windows = products[index].windows else {
      return products[index].addsTo == nil
        ? matrix.multiply(operand, adding: biases[index], into: result)
        : matrix.multiply(operand, addingTo: result)
    }
    if let filters = filters[index] {
      return DepthwiseConvolution(windows, memory: memory).multiply(
        operand, by: filters, into: result)
    }
    Convolution(windows, memory: memory).multiply(
      operand, by: matrix, adding: biases[index], into: result)
  }

  /// The results of the products of step t.
  private func results(_ t: Int) -> [Tensor<Scalar>] {
    if inputSteps == 1 { return results }
    let row = t - multiplied.lowerBound
    return results.map { $0.shape[0] == N ? $0 : $0.rows(row * N..<(row + 1) * N) }
  }

  /// Computes the input's products from step t to the end of its block.
  private func multiplyInputs(from t: Int) {
    let end = min((t / inputSteps + 1) * inputSteps, T)
    multiplied = t..<end
    let x = input.values.rows(multiplied).reshaped([multiplied.count * N, layer.inputs])
    for (index, product) in products.enumerated() where product.operand == .input {
      multiply(index, x, into: results[index].rows(0..<multiplied.count * N))
    }
  }

  // MARK: What a step sees

  private func outputs(before t: Int) -> Tensor<Scalar> {
    t == 0 ? initialOutput : output.row(t - 1)
  }

  /// The states before step t, of the current segment.
  func before(_ t: Int) -> [Tensor<Scalar>] {
    [outputs(before: t)] + kept.map { $0.row(t - segmentStart) }
  }

  func after(_ t: Int) -> [Tensor<Scalar>] {
    [output.row(t)] + kept.map { $0.row(t - segmentStart + 1) }
  }

  func tape(_ t: Int) -> [Tensor<Scalar>] { tape.map { $0.row(t - segmentStart) } }

  /// x_t, [N, C].
  func x(_ t: Int) -> Tensor<Scalar> { input.values.row(t).reshaped([N, layer.inputs]) }

  /// [N]; nil if steps are one apart, or if the cell does not read times.
  func times(_ t: Int) -> Tensor<Double>? { readsTimes ? input.times?.row(t) : nil }

  // MARK: Backward

  func backward(
    _ gradient: OutputGradient<Scalar>, into gradients: ShardedBuffer<Scalar>, wantsInput: Bool,
    initial: LayerState<Scalar>?
  ) -> Tensor<Scalar>? {
    precondition(keepsActivations, "the pass has kept no activations")
    let dx = wantsInput ? memory.tensor("dx", input.values.shape) : nil
    guard N > 0 else { return dx }
    UnrolledBackward(self, into: gradients, dx: dx).run(gradient, initial: initial)
    return dx
  }
}
