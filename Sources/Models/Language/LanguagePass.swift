// SPDX-License-Identifier: Apache-2.0

import Layers
import KernelInterface
import Kernels
import Tensors

/// One thread's part of a pass over a chunk: some shards, with its own work space.
struct LanguagePass<Scalar: KernelScalar> {
  typealias State = LanguageModel<Scalar>.State
  typealias Outcome = LanguageModel<Scalar>.Outcome

  let model: LanguageModel<Scalar>
  let workspace: Workspace<Scalar>
  /// The masks of its columns.
  let masks: LanguageModelMasks<Scalar>

  private var specification: LanguageModelSpecification { model.specification }
  private var decoder: Linear<Scalar> { model.decoder }

  func evaluate(
    _ chunk: TokenChunk, from state: State, _ parameters: ParameterBuffer<Scalar>
  ) -> [Totals] {
    guard chunk.columns > 0 else { return Array(repeating: Totals(), count: chunk.shards) }
    let activations = forward(
      chunk.tokens, from: state, parameters, columns: chunk.columns, isTraining: false)
    let totals = decode(chunk, activations, parameters, gradients: nil)
    model.advance(state, to: activations.final)
    return totals
  }

  func accumulateGradients(
    _ chunk: TokenChunk, from state: State, _ parameters: ParameterBuffer<Scalar>,
    into gradients: ShardedBuffer<Scalar>, initialGradient: State?
  ) -> Outcome {
    guard chunk.columns > 0 else {
      return Outcome(
        totals: Array(repeating: Totals(), count: chunk.shards),
        penalties: Array(repeating: 0, count: chunk.shards), final: state)
    }
    let activations = forward(
      chunk.tokens, rowStarts: chunk.columnStarts, from: state, parameters,
      columns: chunk.columns, isTraining: true)
    model.disturbance?(activations.dropped)
    let totals = decode(chunk, activations, parameters, gradients: gradients)
    let penalties = penalize(chunk, activations)
    backward(chunk, activations, into: gradients, initialGradient: initialGradient)
    return Outcome(totals: totals, penalties: penalties, final: activations.final)
  }

  func logits(
    _ tokens: [Int32], columns N: Int, from state: State, firstStep: Int,
    _ parameters: ParameterBuffer<Scalar>
  ) -> Tensor<Scalar> {
    let activations = forward(
      tokens, from: state, firstStep: firstStep, parameters, columns: N, isTraining: false)
    let z = workspace.tensor("logits", [tokens.count, specification.vocabulary])
    decoder.forward(
      activations.dropped.reshaped([tokens.count, decoder.inputs]), parameters, into: z)
    model.advance(state, to: activations.final)
    return z
  }

  // MARK: Forward

  /// The results of the forward pass that the backward pass needs.
  struct Activations {
    /// The pass of each layer.
    var layers: [any LayerPass<Scalar>] = []
    /// The passes of the dropout below each layer, and of that above the last.
    var dropouts: [any LayerPass<Scalar>] = []

    /// The output that the decoder sees, [T, N, H].
    var dropped: Tensor<Scalar> { dropouts[dropouts.count - 1].output }
    var raw: Tensor<Scalar> { layers[layers.count - 1].output }
    var final: State { layers.map { $0.final! } }
  }

  /// - Parameter rowStarts: nil if no gradient will be needed
  private func forward(
    _ tokens: [Int32], rowStarts: [Int]? = nil, from state: State, firstStep: Int = 0,
    _ parameters: ParameterBuffer<Scalar>, columns N: Int, isTraining: Bool
  ) -> Activations {
    let words = workspace.tensor("x", [tokens.count / N, N, specification.embedding])
    model.embedding.forward(tokens, mask: masks.embedding, parameters, into: words)
    var input = SequenceInput(words, firstStep: firstStep, rowStarts: rowStarts)
    var result = Activations()
    func drop(_ mask: Tensor<Scalar>?) {
      let level = result.dropouts.count
      let layer = DropoutLayer(
        mask, features: [input.values.shape[2]],
        named: LayerName(prefix: "dropout.", suffix: "_l\(level)"))
      result.dropouts.append(
        layer.forward(input, from: nil, parameters, keeping: .activations, in: workspace))
      input.values = result.dropouts[level].output
    }
    drop(masks.input)
    for level in model.layers.indices {
      let pass = model.layer(level).forward(
        input, from: state[level], parameters,
        keeping: isTraining ? [.activations, .finalState] : .finalState, in: workspace)
      result.layers.append(pass)
      input.values = pass.output
      drop(level + 1 < model.layers.count ? masks.between[level] : masks.output)
    }
    return result
  }

  // MARK: Decoder and loss

  /// The largest number of elements of z in a piece: 16 MB of Float.
  private static var pieceLimit: Int { 1 << 22 }

  /// Decoder and cross-entropy, shard by shard and in pieces of a shard. The whole z [T·N, V] would
  /// not fit in memory, and the decoder's gradients are summed shard by shard at any number of
  /// ranks.
  ///
  /// Writes the gradient of the dropped output to `dDropped`, if gradients are needed.
  private func decode(
    _ chunk: TokenChunk, _ activations: Activations, _ parameters: ParameterBuffer<Scalar>,
    gradients: ShardedBuffer<Scalar>?
  ) -> [Totals] {
    let (V, H) = (specification.vocabulary, decoder.inputs)
    let pieceRows = max(Self.pieceLimit / V, 16)
    let dDropped = gradients.map { _ in self.dDropped(activations) }
    return (0..<chunk.shards).map { shard in
      let rows = chunk.rows(ofShard: shard)
      var totals = Totals()
      for start in stride(from: 0, to: rows.count, by: pieceRows) {
        let piece = Array(rows[start..<min(start + pieceRows, rows.count)])
        let inOrder = RowSelection(Array(piece.indices), width: H)
        let y = workspace.tensor("piece", [piece.count, H])
        y.copy(H, columnsOf: activations.dropped, RowSelection(piece, width: H), to: inOrder)
        let z = workspace.tensor("logits", [piece.count, V])
        decoder.forward(y, parameters, into: z)
        totals =
          totals
          + CrossEntropy.perToken.totals(
            of: z, .classes(piece.map { chunk.targets[$0] }, of: V),
            gradient: gradients.map { _ in z })
        guard let gradients, let dDropped else { continue }
        let dy = workspace.tensor("dPiece", [piece.count, H])
        decoder.backward(z, x: y, into: gradients[shard], dx: dy)
        dDropped.copy(H, columnsOf: dy, inOrder, to: RowSelection(piece, width: H))
      }
      totals.sequences = Double(chunk.columnStarts[shard + 1] - chunk.columnStarts[shard])
      return totals
    }
  }

  private func dDropped(_ activations: Activations) -> Tensor<Scalar> {
    workspace.tensor("dDropped", activations.dropped.shape)
  }

  // MARK: Penalties

  /// Adds the gradients of both penalties, and writes the gradient of the raw output to `dDropped`.
  ///
  /// The objective has means over T·N·H and (T-1)·N·H numbers and a mean over T·N predictions. Sums
  /// are divided by T·N later, so the sums here have the factors α/H and β T/((T-1) H).
  ///
  /// - Returns: the terms that they add to each shard's sum
  private func penalize(_ chunk: TokenChunk, _ activations: Activations) -> [Double] {
    let (T, H) = (chunk.steps, decoder.inputs)
    let alpha = specification.activationPenalty / Double(H)
    let beta =
      T > 1 ? specification.temporalPenalty * Double(T) / (Double(T - 1) * Double(H)) : 0
    let gradient = dDropped(activations)
    let (dropped, raw) = (activations.dropped, activations.raw)
    if alpha > 0 { gradient.add(dropped, scale: Scalar(2 * alpha)) }
    if let mask = masks.output { gradient.setProduct(of: gradient, repeating: mask) }
    if beta > 0 { gradient.addDifferenceGradient(of: raw, scale: Scalar(beta)) }
    return (0..<chunk.shards).map { shard in
      let columns = chunk.columnStarts[shard]..<chunk.columnStarts[shard + 1]
      var (squares, changes) = (0.0, 0.0)
      guard alpha > 0 || beta > 0 else { return 0 }
      for t in 0..<T {
        for row in columns.map({ t * chunk.columns + $0 }) {
          for place in row * H..<(row + 1) * H {
            squares += Double(dropped[place]) * Double(dropped[place])
            if t + 1 < T {
              let change = Double(raw[place + chunk.columns * H]) - Double(raw[place])
              changes += change * change
            }
          }
        }
      }
      return alpha * squares + beta * changes
    }
  }

  // MARK: Backward

  /// From the gradient of the raw output down to the embedding.
  private func backward(
    _ chunk: TokenChunk, _ activations: Activations, into gradients: ShardedBuffer<Scalar>,
    initialGradient: State?
  ) {
    var dy = OutputGradient(steps: dDropped(activations))
    for level in model.layers.indices.reversed() {
      for pass in [activations.layers[level], activations.dropouts[level]] {
        dy = OutputGradient(
          steps: pass.backward(
            dy, into: gradients, wantsInput: true, initial: initialGradient?[level]))
      }
      gradients.whenFinal(model.layers[level].start(in: model.layout))
    }
    for shard in 0..<chunk.shards {
      model.embedding.backward(
        dy.steps!, tokens: chunk.tokens, at: chunk.rows(ofShard: shard), mask: masks.embedding,
        into: gradients[shard])
    }
  }
}
