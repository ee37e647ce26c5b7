// SPDX-License-Identifier: Apache-2.0

import Layers
import KernelInterface
import Kernels
import Tensors

/// One thread's part of a pass over a batch: some shards, with its own work space.
struct SequencePass<Scalar: KernelScalar> {
  let model: SequenceModel<Scalar>
  let workspace: Workspace<Scalar>
  /// Where the answers are counted.
  let confusion: ConfusionCounts?

  private var readOut: Linear<Scalar> { model.readOut }
  private var stack: LayerStack<Scalar> { model.stack }
  private var pooling: Pooling { model.pooling }

  /// Runs a batch forward and, if gradients are needed, backward.
  ///
  /// - Returns: the totals of each shard
  func run(
    _ batch: SequenceBatch<Scalar>, _ parameters: ParameterBuffer<Scalar>,
    gradients: ShardedBuffer<Scalar>?
  ) -> [Totals] {
    let (T, N) = (batch.x.shape[0], batch.x.shape[1])
    // A thread's run of shards may be empty although the whole batch is not.
    guard N > 0 else { return model.noTotals(batch) }
    let pass = stack.forward(
      SequenceInput(
        batch.x, lengths: batch.lengths, times: batch.elapsed, rowStarts: batch.rowStarts,
        noise: gradients == nil ? nil : batch.noise),
      from: nil, parameters, keeping: gradients != nil ? .activations : [], in: workspace)
    let top = pass.output
    if gradients != nil { model.disturbance?(top) }
    // If only the state at T is read, its gradient enters there, and no kernel reads [T, N, H]
    // zeros.
    let seesOnlyTheEnd =
      batch.lengths == nil && !batch.targets.isEveryStep && model.directions == 1
      && pooling == .last
    let dTop = workspace.tensor("dTop", seesOnlyTheEnd ? [1, N, readOut.inputs] : top.shape)
    if gradients != nil && !seesOnlyTheEnd { dTop.fill(0) }
    let totals = readOutAndLoss(
      batch, seesOnlyTheEnd ? top.rows(T - 1..<T) : top, dTop: dTop, parameters, gradients,
      firstRow: seesOnlyTheEnd ? (T - 1) * N : 0)
    if let gradients {
      // The read-out is declared last.
      gradients.whenFinal(
        model.layout.entries.first { $0.role == .readOut }!.range.lowerBound)
      _ = pass.backward(
        seesOnlyTheEnd ? OutputGradient(lastStep: dTop.row(0)) : OutputGradient(steps: dTop),
        into: gradients, wantsInput: false, initial: nil)
    }
    return totals
  }

  /// The read-out and the loss, shard by shard, so that the gradients of the read-out are summed
  /// shard by shard at any number of ranks.
  ///
  /// - Parameters:
  ///   - top: the states that the read-out may see, [T, N, D·H] or only the last step
  ///   - dTop: receives their gradients
  ///   - firstRow: the row of [T·N] that `top` starts with
  private func readOutAndLoss(
    _ batch: SequenceBatch<Scalar>, _ top: Tensor<Scalar>, dTop: Tensor<Scalar>,
    _ parameters: ParameterBuffer<Scalar>, _ gradients: ShardedBuffer<Scalar>?, firstRow: Int
  ) -> [Totals] {
    let (width, K) = (stack.outputs, readOut.outputs)
    return (0..<batch.shards).map { shard in
      let sequences = batch.rowStarts[shard]..<batch.rowStarts[shard + 1]
      guard !sequences.isEmpty else { return model.objective.noTotals }
      let states =
        pooling == .mean && !batch.targets.isEveryStep
        ? ReadOutStates.means(batch.validRows(of: sequences))
        : ReadOutStates.single(
          (0..<model.directions).map { direction in
            batch.readOutRows(of: sequences, isReverse: direction == 1).map { $0 - firstRow }
          }, hidden: stack.outputs / model.directions)
      let count = states.count
      let h = workspace.tensor("h", [count, width])
      states.gather(from: top, into: h)
      let y = workspace.tensor("logits", [count, K])
      let dy = gradients.map { _ in workspace.tensor("dlogits", [count, K]) }
      readOut.forward(h, parameters, into: y)
      let totals = self.totals(batch, of: sequences, rows: states.rows, y, gradient: dy)
      if let gradients, let dy {
        let dh = workspace.tensor("dh", [count, width])
        readOut.backward(dy, x: h, into: gradients[shard], dx: dh)
        states.scatter(dh, into: dTop)
      }
      return totals
    }
  }

  /// The loss of some sequences, and its gradient with respect to the read-out's output.
  private func totals(
    _ batch: SequenceBatch<Scalar>, of sequences: Range<Int>, rows: [Int], _ y: Tensor<Scalar>,
    gradient dy: Tensor<Scalar>?
  ) -> Totals {
    let targets = batch.targets.seen(of: sequences, steps: rows)
    // Before the loss, whose gradient may overwrite y.
    confusion?.add(targets.whole, answers: y)
    var totals = model.objective.totals(of: y, targets, gradient: dy)
    totals.sequences = Double(sequences.count)
    return totals
  }
}
