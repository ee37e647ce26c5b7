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

/// Which states the answer about a whole sequence is read from.
public enum Pooling: String, Sendable, CaseIterable {
  /// The state after the last valid step.
  case last
  /// The mean of the states of all valid steps.
  case mean
}

/// A stack of recurrent layers with a linear read-out of the last state or of every state.
///
///     y = W h^L_T + b                                   asked of the last valid step
///     y = W [forward^L_T, reverse^L_1] + b              the same, in both directions
///     y = W (1/T) Σ_t h^L_t + b                         asked of all valid steps, pooled
///     y_t = W h^L_t + b                                 asked of every valid step
public final class SequenceModel<Scalar: KernelScalar> {
  public let readOut: Linear<Scalar>
  public let loss: LossKind
  public let pooling: Pooling
  public let layout: ParameterLayout

  private let stack: RecurrentStack<Scalar>
  /// Where the answers of the pass at hand are counted.
  private var confusion: ConfusionCounts?
  private let workspace = Workspace<Scalar>()

  /// - Parameters:
  ///   - inputs: C
  ///   - outputs: K, the width of the read-out
  public init(
    _ specification: StackSpecification, inputs: Int, outputs: Int, loss: LossKind,
    pooling: Pooling = .last
  ) {
    stack = RecurrentStack(specification, inputs: inputs, workspace: workspace)
    readOut = Linear(inputs: stack.outputs, outputs: outputs, prefix: "readout.")
    self.loss = loss
    self.pooling = pooling
    var layout = ParameterLayout()
    for layer in stack.layers { layer.declare(in: &layout) }
    readOut.declare(in: &layout)
    self.layout = layout
  }

  /// The recurrent layers, from the lowest level up, the reverse one after the forward one.
  public var layers: [RecurrentLayer<Scalar>] { stack.layers }

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
    layers.reduce(layout.count) { $0 - $1.untrainedCount }
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
  /// - Parameter confusion: counts the answers of sequences that have one class each
  /// - Returns: the totals of each shard
  public func evaluate(
    _ batch: SequenceBatch<Scalar>, _ parameters: ParameterBuffer<Scalar>,
    counting confusion: ConfusionCounts? = nil
  ) -> [Totals] {
    self.confusion = confusion
    defer { self.confusion = nil }
    return run(batch, parameters, gradients: nil)
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
    let activations = stack.forward(
      batch.x, lengths: batch.lengths, parameters, isTraining: gradients != nil)
    let top = activations.output
    // Where only the state at T is asked for, its gradient goes in there, and no kernel reads
    // [T, N, H] zeros.
    let seesOnlyTheEnd =
      batch.lengths == nil && !batch.targets.isEveryStep && stack.directions == 1
      && pooling == .last
    let dTop = workspace.tensor("dTop", seesOnlyTheEnd ? [1, N, readOut.inputs] : top.shape)
    if gradients != nil && !seesOnlyTheEnd { dTop.fill(0) }
    let totals = readOutAndLoss(
      batch, seesOnlyTheEnd ? top.rows(T - 1..<T) : top, dTop: dTop, parameters, gradients,
      firstRow: seesOnlyTheEnd ? (T - 1) * N : 0)
    if let gradients {
      // The read-out is declared last.
      gradients.whenFinal(layout.entries.first { $0.name.hasPrefix("readout.") }!.range.lowerBound)
      stack.backward(
        seesOnlyTheEnd ? .lastStep(dTop.row(0)) : .everyStep(dTop), through: activations,
        lengths: batch.lengths, parameters, layout: layout, into: gradients,
        rowStarts: batch.rowStarts)
    }
    return totals
  }

  /// The read-out and the loss, shard by shard: their products then have the shapes of a shard,
  /// whatever the number of ranks.
  ///
  /// - Parameters:
  ///   - top: the states that the read-out may see, [T, N, D·H] or the last step alone
  ///   - dTop: receives their gradients
  ///   - firstRow: the row of [T·N] that `top` starts with
  private func readOutAndLoss(
    _ batch: SequenceBatch<Scalar>, _ top: Tensor<Scalar>, dTop: Tensor<Scalar>,
    _ parameters: ParameterBuffer<Scalar>, _ gradients: ShardedBuffer<Scalar>?, firstRow: Int
  ) -> [Totals] {
    let (width, K) = (stack.outputs, readOut.outputs)
    return (0..<batch.shards).map { shard in
      let sequences = batch.rowStarts[shard]..<batch.rowStarts[shard + 1]
      guard !sequences.isEmpty else { return Totals() }
      let states =
        pooling == .mean && !batch.targets.isEveryStep
        ? ReadOutStates.means(batch.validRows(of: sequences))
        : ReadOutStates.single(
          (0..<stack.directions).map { direction in
            batch.readOutRows(of: sequences, isReverse: direction == 1).map { $0 - firstRow }
          }, hidden: stack.hidden)
      let count = states.count
      let h = workspace.tensor("h", [count, width])
      states.gather(from: top, into: h)
      let y = workspace.tensor("logits", [count, K])
      let dy = gradients.map { _ in workspace.tensor("dlogits", [count, K]) }
      readOut.forward(h, parameters, into: y)
      let totals = self.totals(batch, of: sequences, rows: states.rows, y, gradient: dy)
      if let gradients, let dy {
        let dh = workspace.tensor("dh", [count, width])
        readOut.backward(dy, x: h, parameters, into: gradients[shard], dx: dh)
        states.scatter(dh, into: dTop)
      }
      return totals
    }
  }

  /// The loss of some sequences, and its gradient by the read-out's output.
  private func totals(
    _ batch: SequenceBatch<Scalar>, of sequences: Range<Int>, rows: [Int], _ y: Tensor<Scalar>,
    gradient dy: Tensor<Scalar>?
  ) -> Totals {
    let K = readOut.outputs
    var totals: Totals
    switch (loss, batch.targets) {
    case (.crossEntropy, .classes(let classes)):
      totals = Loss.crossEntropy(y, classes: classes[sequences], gradient: dy)
      if let confusion {
        for (row, truth) in classes[sequences].enumerated() {
          confusion.add(Int(truth), predicted: Loss.mostLikely(y.row(row)))
        }
      }
    case (.crossEntropy, .stepClasses(let classes)):
      totals = Loss.crossEntropy(y, classes: rows.map { classes[$0] }[...], gradient: dy)
    case (.squaredError, .values(let values)):
      let range = sequences.lowerBound * K..<sequences.upperBound * K
      totals = Loss.squaredError(y, targets: values[range], gradient: dy)
    case (.squaredError, .frames(let frames)):
      let targets = workspace.tensor("targets", [rows.count, K])
      targets.copy(
        K, columnsOf: frames, RowSelection(rows, width: K),
        to: RowSelection(Array(rows.indices), width: K))
      totals = Loss.squaredError(y, targets: targets.array.map { Float($0) }[...], gradient: dy)
    default:
      preconditionFailure("the loss \(loss) does not fit the targets of the batch")
    }
    totals.sequences = Double(sequences.count)
    return totals
  }
}
