import BLAS
import Cells
import KernelInterface
import Kernels
import RandomNumbers
import Tensors

/// What a read-out's output is compared by.
public enum LossKind: String, Sendable {
  case crossEntropy
  case squaredError
}

/// A stack of recurrent layers with a linear read-out of the last state.
///
///     h^0 = x,  h^{l+1} = layer_l(h^l),  y = W h^L_T + b
public final class SequenceModel<Scalar: KernelScalar> {
  public let layers: [RecurrentLayer<Scalar>]
  public let readOut: Linear<Scalar>
  public let loss: LossKind
  public let layout: ParameterLayout

  private let workspace = Workspace<Scalar>()

  /// - Parameters:
  ///   - layers: how many recurrent layers of `hidden` units to stack
  ///   - outputs: K, the width of the read-out
  public init(
    drive: DriveParameters, body: BodyKind, orthogonal: OrthogonalSettings? = nil, inputs: Int,
    hidden: Int, layers: Int, outputs: Int, loss: LossKind
  ) {
    precondition(layers > 0, "a model needs a layer")
    self.layers = (0..<layers).map { index in
      RecurrentLayer(
        drive: drive, body: body, orthogonal: orthogonal, inputs: index == 0 ? inputs : hidden,
        hidden: hidden, prefix: "rnn.", index: index)
    }
    readOut = Linear(inputs: hidden, outputs: outputs, prefix: "readout.")
    self.loss = loss
    var layout = ParameterLayout()
    for layer in self.layers { layer.declare(in: &layout) }
    readOut.declare(in: &layout)
    self.layout = layout
  }

  /// Sets the starting values, which depend on the seed alone.
  public func initialize(_ parameters: ParameterBuffer<Scalar>, seed: UInt64, gateBias: Double) {
    for (index, layer) in layers.enumerated() {
      var stream = RandomStream(seed: seed, purpose: .initialization, index: index)
      layer.initialize(parameters, gateBias: gateBias, stream: &stream)
    }
    var stream = RandomStream(seed: seed, purpose: .initialization, index: layers.count)
    readOut.initialize(parameters, stream: &stream)
  }

  /// How many numbers are trained: of an orthogonal layer's skew matrix those above the diagonal.
  public var trainedCount: Int {
    layers.reduce(layout.count) { count, layer in
      count - (layer.orthogonal == nil ? 0 : layer.hidden * (layer.hidden + 1) / 2)
    }
  }

  /// What a checkpoint must hold besides parameters, by name.
  public var buffers: [(name: String, tensor: Tensor<Scalar>)] { layers.flatMap(\.buffers) }

  /// Computes what follows from the parameters, such as orthogonal matrices. To be called before
  /// the first pass after a change of parameters.
  ///
  /// - Parameter advancing: true once per optimizer step, before its forward pass; false for other
  ///   uses, which must not move the base of an orthogonal matrix
  /// - Throws: `LAPACKError` where a parameter is not a number
  public func prepare(
    _ parameters: ParameterBuffer<Scalar>, advancing: Bool
  ) throws(LAPACKError) {
    for layer in layers { try layer.prepare(parameters, advancing: advancing) }
  }

  /// Turns summed gradients of what `prepare` computed into gradients of the parameters.
  public func finishGradients(_ gradients: ParameterBuffer<Scalar>) throws(LAPACKError) {
    for layer in layers { try layer.finishGradients(gradients) }
  }

  /// Runs a batch forward.
  ///
  /// - Returns: the totals of each shard
  public func evaluate(
    _ batch: SequenceBatch<Scalar>, _ parameters: ParameterBuffer<Scalar>
  ) -> [Totals] {
    run(batch, parameters, gradients: nil)
  }

  /// Runs a batch forward and backward, adding the gradient of each shard's *summed* loss to
  /// `gradients`.
  ///
  /// - Returns: the totals of each shard
  public func accumulateGradients(
    _ batch: SequenceBatch<Scalar>, _ parameters: ParameterBuffer<Scalar>,
    into gradients: ShardedBuffer<Scalar>
  ) -> [Totals] {
    precondition(
      gradients.shards == batch.shards, "\(gradients.shards) buffers for \(batch.shards) shards")
    return run(batch, parameters, gradients: gradients)
  }

  private func run(
    _ batch: SequenceBatch<Scalar>, _ parameters: ParameterBuffer<Scalar>,
    gradients: ShardedBuffer<Scalar>?
  ) -> [Totals] {
    let (T, N) = (batch.x.shape[0], batch.x.shape[1])
    guard N > 0 else { return Array(repeating: Totals(), count: batch.shards) }
    let isTraining = gradients != nil
    var inputs: [Tensor<Scalar>] = []
    var saved: [Tensor<Scalar>] = []
    var x = batch.x
    for (index, layer) in layers.enumerated() {
      let geometry = layer.geometry(steps: T, rows: N)
      let y = workspace.tensor("y\(index)", [T, N, layer.hidden])
      let kept =
        isTraining
        ? workspace.tensor("saved\(index)", [RecurrentLayerKernels<Scalar>.savedCount(geometry)])
        : nil
      RecurrentLayerKernels.forward(
        geometry, weights: layer.weights(parameters), x: x, initial: nil, y: y, saved: kept,
        final: nil)
      inputs.append(x)
      if let kept { saved.append(kept) }
      x = y
    }

    // Where only the state at T is asked for, its gradient goes in there and dy stays nil: no
    // kernel then reads [T, N, H] zeros.
    let seesOnlyTheEnd = batch.lengths == nil && !batch.targets.isEveryStep
    let dTop = workspace.tensor("dTop", seesOnlyTheEnd ? [1, N, readOut.inputs] : x.shape)
    if isTraining && !seesOnlyTheEnd { dTop.fill(0) }
    let totals = readOutAndLoss(
      batch, seesOnlyTheEnd ? x.rows(T - 1..<T) : x, dTop: dTop, parameters, gradients,
      firstRow: seesOnlyTheEnd ? (T - 1) * N : 0)
    guard let gradients else { return totals }

    var dy: Tensor<Scalar>? = seesOnlyTheEnd ? nil : dTop
    for index in layers.indices.reversed() {
      let layer = layers[index]
      let geometry = layer.geometry(steps: T, rows: N)
      var final: RecurrentState<Scalar>?
      if index == layers.count - 1 && seesOnlyTheEnd {
        var state = RecurrentState<Scalar>(zerosFor: geometry)
        state.hidden = dTop.row(0)
        final = state
      }
      let dx = index > 0 ? workspace.tensor("dx\(index)", [T, N, layer.inputs]) : nil
      RecurrentLayerKernels.backward(
        geometry, weights: layer.weights(parameters), x: inputs[index], initial: nil,
        y: index + 1 < layers.count ? inputs[index + 1] : x, saved: saved[index], dy: dy,
        finalGradient: final, entries: layer.entries(in: layout), gradients: gradients,
        rowStarts: batch.rowStarts, dx: dx, initialGradient: nil)
      dy = dx
    }
    return totals
  }

  /// The read-out and the loss, shard by shard: their products then have the shapes of a shard,
  /// whatever the number of ranks.
  ///
  /// - Parameters:
  ///   - top: the states that the read-out may see, [T, N, H] or the last step alone
  ///   - dTop: receives their gradients
  ///   - firstRow: the row of [T·N] that `top` starts with
  private func readOutAndLoss(
    _ batch: SequenceBatch<Scalar>, _ top: Tensor<Scalar>, dTop: Tensor<Scalar>,
    _ parameters: ParameterBuffer<Scalar>, _ gradients: ShardedBuffer<Scalar>?, firstRow: Int
  ) -> [Totals] {
    let (H, K) = (readOut.inputs, readOut.outputs)
    return (0..<batch.shards).map { shard in
      let sequences = batch.rowStarts[shard]..<batch.rowStarts[shard + 1]
      guard !sequences.isEmpty else { return Totals() }
      let rows = batch.readOutRows(of: sequences).map { $0 - firstRow }
      let h = workspace.tensor("h", [rows.count, H])
      h.gatherRows(rows, of: top, width: H)
      let y = workspace.tensor("logits", [rows.count, K])
      let dy = gradients.map { _ in workspace.tensor("dlogits", [rows.count, K]) }
      readOut.forward(h, parameters, into: y)
      var totals: Totals
      switch (loss, batch.targets) {
      case (.crossEntropy, .classes(let classes)):
        totals = Loss.crossEntropy(y, classes: classes[sequences], gradient: dy)
      case (.squaredError, .values(let values)):
        let range = sequences.lowerBound * K..<sequences.upperBound * K
        totals = Loss.squaredError(y, targets: values[range], gradient: dy)
      case (.squaredError, .frames(let frames)):
        let targets = workspace.tensor("targets", [rows.count, K])
        targets.gatherRows(rows, of: frames, width: K)
        totals = Loss.squaredError(
          y, targets: targets.array.map { Float($0) }[...], gradient: dy)
      default:
        preconditionFailure("the loss \(loss) does not fit the targets of the batch")
      }
      totals.sequences = Double(sequences.count)
      if let gradients, let dy {
        let dh = workspace.tensor("dh", [rows.count, H])
        readOut.backward(dy, x: h, parameters, into: gradients[shard], dx: dh)
        dTop.scatterRows(dh, to: rows, width: H)
      }
      return totals
    }
  }
}
