// SPDX-License-Identifier: Apache-2.0

import KernelInterface
import Kernels
import Layers
import Tensors
import Threads

/// The results of a forward pass over some sequences, sequence by sequence: the layout of files,
/// not that of kernels.
public struct Prediction<Scalar: KernelScalar> {
  /// y: [N, K], or for every step [N, T, K], with zeros after the end of a sequence.
  public var outputs: Tensor<Scalar>
  /// The states of the last layer at each step, [N, T, D·H], with zeros after the end of a
  /// sequence; nil if they were not asked for.
  public var hidden: Tensor<Scalar>?
  /// The state after step T; nil if it was not asked for.
  public var final: LayerState<Scalar>?
}

extension SequenceModel {
  /// Runs a batch forward. Each row has the same bits regardless of the rows computed with it, and
  /// regardless of whether its steps are run at once or one by one, each from the state before.
  ///
  /// - Parameters:
  ///   - batch: the sequences; of their targets, only the kind matters
  ///   - state: the state before step 1; nil is zeros
  ///   - firstStep: how many steps of the sequences came before these
  ///   - parameters: the parameters
  ///   - keepingHidden: whether to return the states of the last layer
  ///   - keepingFinal: whether to return the state after step T
  public func predict(
    _ batch: SequenceBatch<Scalar>, from state: LayerState<Scalar>?, firstStep: Int,
    _ parameters: ParameterBuffer<Scalar>, keepingHidden: Bool = false, keepingFinal: Bool = false
  ) -> Prediction<Scalar> {
    while workspaces.count < team.count { workspaces.append(Workspace()) }
    func run(
      _ batch: SequenceBatch<Scalar>, _ state: LayerState<Scalar>?, _ workspace: Workspace<Scalar>
    ) -> Prediction<Scalar> {
      guard batch.x.shape[1] > 0 else {
        return noPrediction(batch, hidden: keepingHidden, final: keepingFinal)
      }
      var input = SequenceInput(
        batch.x, lengths: batch.lengths, times: batch.elapsed, firstStep: firstStep)
      input.rowStarts = batch.rowStarts
      let pass = stack.forward(
        input, from: state, parameters, keeping: keepingFinal ? .finalState : [], in: workspace)
      return Prediction(
        outputs: outputs(batch, pass.output, parameters),
        hidden: keepingHidden ? bySequence(pass.output, batch) : nil, final: pass.final)
    }
    let runs = ShardRuns.cut(batch.shards, threads: team.count)
    if runs.count == 1 { return run(batch, state, workspaces[0]) }
    let parts = team.map(runs.count) { index in
      let (shards, workspace) = (runs[index], workspaces[index])
      let rows = batch.rowStarts[shards.lowerBound]..<batch.rowStarts[shards.upperBound]
      return run(batch.part(shards: shards, in: workspace), state?.rows(rows), workspace)
    }
    return joined(parts)
  }

  /// The answers, read from the states as in an evaluation.
  private func outputs(
    _ batch: SequenceBatch<Scalar>, _ top: Tensor<Scalar>, _ parameters: ParameterBuffer<Scalar>
  ) -> Tensor<Scalar> {
    let (T, N, K) = (batch.x.shape[0], batch.x.shape[1], readOut.outputs)
    let isEveryStep = batch.targets.isEveryStep
    let states =
      pooling == .mean && !isEveryStep
      ? ReadOutStates.means(batch.validRows(of: 0..<N))
      : ReadOutStates.single(
        (0..<directions).map { batch.readOutRows(of: 0..<N, isReverse: $0 == 1) },
        hidden: stack.outputs / directions)
    let h = Tensor<Scalar>(shape: [states.count, stack.outputs])
    states.gather(from: top, into: h)
    let y = Tensor<Scalar>(shape: [states.count, K])
    readOut.forward(h, parameters, into: y)
    guard isEveryStep else { return y }
    // Valid steps are in the order of sequences.
    let padded = Tensor<Scalar>(shape: [N, T, K])
    var row = 0
    for n in 0..<N {
      let length = batch.lengths?[n] ?? T
      padded.row(n).rows(0..<length).copy(from: y.rows(row..<row + length))
      row += length
    }
    return padded
  }

  /// States [T, N, H] as [N, T, H], with zeros beyond the end of each sequence.
  private func bySequence(
    _ top: Tensor<Scalar>, _ batch: SequenceBatch<Scalar>
  ) -> Tensor<Scalar> {
    let (T, N, width) = (top.shape[0], top.shape[1], stack.outputs)
    let result = Tensor<Scalar>(shape: [N, T, width])
    for n in 0..<N {
      let steps = Array(0..<(batch.lengths?[n] ?? T))
      result.row(n).copy(
        width, columnsOf: top, RowSelection(steps.map { $0 * N + n }, width: width),
        to: RowSelection(steps, width: width))
    }
    return result
  }

  private func noPrediction(
    _ batch: SequenceBatch<Scalar>, hidden: Bool, final: Bool
  ) -> Prediction<Scalar> {
    let (T, K) = (batch.x.shape[0], readOut.outputs)
    return Prediction(
      outputs: Tensor(shape: batch.targets.isEveryStep ? [0, T, K] : [0, K]),
      hidden: hidden ? Tensor(shape: [0, T, stack.outputs]) : nil,
      final: final ? stack.startState(rows: 0) : nil)
  }

  private func joined(_ parts: [Prediction<Scalar>]) -> Prediction<Scalar> {
    Prediction(
      outputs: Tensor(joining: parts.map(\.outputs)),
      hidden: parts[0].hidden == nil ? nil : Tensor(joining: parts.map { $0.hidden! }),
      final: parts[0].final.map { first in
        LayerState(
          first.named.map { member in
            (member.name, Tensor(joining: parts.map { $0.final![member.name]! }))
          })
      })
  }
}

extension Tensor {
  /// The rows of several tensors, one after the other.
  fileprivate init(joining parts: [Tensor]) {
    self.init(
      shape: [parts.reduce(0) { $0 + $1.shape[0] }] + Array(parts[0].shape.dropFirst()))
    var row = 0
    for part in parts {
      rows(row..<row + part.shape[0]).copy(from: part)
      row += part.shape[0]
    }
  }
}
