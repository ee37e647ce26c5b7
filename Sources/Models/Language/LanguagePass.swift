import Cells
import KernelInterface
import Kernels
import Tensors

/// What one thread does of a pass over a chunk: some shards, with work space of its own.
struct LanguagePass<Scalar: KernelScalar> {
  typealias State = LanguageModel<Scalar>.State
  typealias Outcome = LanguageModel<Scalar>.Outcome

  let model: LanguageModel<Scalar>
  let workspace: Workspace<Scalar>
  /// Those of its columns.
  let masks: LanguageModelMasks<Scalar>

  private var specification: LanguageModelSpecification { model.specification }
  private var layers: [RecurrentLayer<Scalar>] { model.layers }
  private var decoder: Linear<Scalar> { model.decoder }

  func evaluate(
    _ chunk: TokenChunk, from state: State, _ parameters: ParameterBuffer<Scalar>
  ) -> [Totals] {
    guard chunk.columns > 0 else { return Array(repeating: Totals(), count: chunk.shards) }
    let activations = forward(chunk.tokens, from: state, parameters, isTraining: false)
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
    let activations = forward(chunk.tokens, from: state, parameters, isTraining: true)
    let totals = decode(chunk, activations, parameters, gradients: gradients)
    let penalties = penalize(chunk, activations)
    backward(
      chunk, activations, from: state, parameters, into: gradients,
      initialGradient: initialGradient)
    return Outcome(totals: totals, penalties: penalties, final: activations.final)
  }

  func logits(
    _ tokens: [Int32], columns N: Int, from state: State, firstStep: Int,
    _ parameters: ParameterBuffer<Scalar>
  ) -> Tensor<Scalar> {
    let activations = forward(
      tokens, from: state, firstStep: firstStep, parameters, isTraining: false)
    let z = workspace.tensor("logits", [tokens.count, specification.vocabulary])
    decoder.forward(
      activations.dropped.reshaped([tokens.count, decoder.inputs]), parameters, into: z)
    model.advance(state, to: activations.final)
    return z
  }

  // MARK: Forward

  /// What the forward pass leaves for the backward pass.
  struct Activations {
    struct Layer {
      var x: Tensor<Scalar>  // its input as dropped, [T, N, C]
      var y: Tensor<Scalar>  // its output as it is, [T, N, H]
      var saved: Tensor<Scalar>?
      var final: RecurrentState<Scalar>
    }
    var layers: [Layer]
    /// The output as the decoder sees it, [T, N, H].
    var dropped: Tensor<Scalar>
    var raw: Tensor<Scalar> { layers[layers.count - 1].y }
    var final: State { layers.map(\.final) }
  }

  private func forward(
    _ tokens: [Int32], from state: State, firstStep: Int = 0,
    _ parameters: ParameterBuffer<Scalar>, isTraining: Bool
  ) -> Activations {
    let N = state[0].hidden.shape[0]
    let T = tokens.count / N
    func masked(_ name: String, _ x: Tensor<Scalar>, _ mask: Tensor<Scalar>?) -> Tensor<Scalar> {
      guard let mask else { return x }
      let result = workspace.tensor(name, x.shape)
      result.setProduct(of: x, repeating: mask)
      return result
    }
    let words = workspace.tensor("x", [T, N, specification.embedding])
    model.embedding.forward(tokens, mask: masks.embedding, parameters, into: words)
    if let mask = masks.input { words.setProduct(of: words, repeating: mask) }
    var x = words
    var passes: [Activations.Layer] = []
    for (level, layer) in layers.enumerated() {
      var geometry = layer.geometry(steps: T, rows: N)
      geometry.drive.firstStep = firstStep
      let y = workspace.tensor("y\(level)", [T, N, layer.hidden])
      let saved =
        isTraining
        ? workspace.tensor(
          "saved\(level)", [RecurrentLayerKernels<Scalar>.savedCount(geometry)]) : nil
      let final = RecurrentState<Scalar>(zerosFor: geometry)
      RecurrentLayerKernels.forward(
        geometry, weights: model.weights(level, parameters), x: x, initial: state[level], y: y,
        saved: saved, final: final)
      passes.append(.init(x: x, y: y, saved: saved, final: final))
      let isLast = level == layers.count - 1
      x = masked("dropped\(level).y", y, isLast ? masks.output : masks.between[level])
    }
    return Activations(layers: passes, dropped: x)
  }

  // MARK: Decoder and loss

  /// The most numbers that z of a piece has: 16 MB of Float.
  private static var pieceLimit: Int { 1 << 22 }

  /// Decoder and cross-entropy, shard by shard and in pieces of a shard: z [T·N, V] as a whole
  /// would not fit, and products have the shapes of a shard whatever the number of ranks.
  ///
  /// Leaves the gradient of the dropped output in `dDropped`, if gradients are wanted.
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
        decoder.backward(z, x: y, parameters, into: gradients[shard], dx: dy)
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

  /// Adds the gradients of both penalties, and leaves that of the raw output in `dDropped`.
  ///
  /// The objective has means over T·N·H and (T-1)·N·H numbers beside one over T·N predictions, and
  /// sums are divided by T·N later: so α/H and β T/((T-1) H) stand before the sums.
  ///
  /// - Returns: what they add to each shard's sum
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
    _ chunk: TokenChunk, _ activations: Activations, from state: State,
    _ parameters: ParameterBuffer<Scalar>, into gradients: ShardedBuffer<Scalar>,
    initialGradient: State?
  ) {
    let (T, N) = (chunk.steps, chunk.columns)
    var dy = dDropped(activations)
    for level in layers.indices.reversed() {
      let (layer, pass) = (layers[level], activations.layers[level])
      let dx = workspace.tensor("dx\(level)", pass.x.shape)
      RecurrentLayerKernels.backward(
        layer.geometry(steps: T, rows: N), weights: model.weights(level, parameters), x: pass.x,
        initial: state[level], y: pass.y, saved: pass.saved!, dy: dy, finalGradient: nil,
        entries: layer.entries(in: model.layout), gradients: gradients,
        rowStarts: chunk.columnStarts,
        dx: dx, initialGradient: initialGradient?[level])
      let mask = level > 0 ? masks.between[level - 1] : masks.input
      if let mask { dx.setProduct(of: dx, repeating: mask) }
      dy = dx
      gradients.whenFinal(layer.entries(in: model.layout).input.range.lowerBound)
    }
    for shard in 0..<chunk.shards {
      model.embedding.backward(
        dy, tokens: chunk.tokens, at: chunk.rows(ofShard: shard), mask: masks.embedding,
        into: gradients[shard])
    }
  }
}
