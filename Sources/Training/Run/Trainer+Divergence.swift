// SPDX-License-Identifier: Apache-2.0

import Configuration
import Checkpoints
import Models
import MPI
import Tensors

extension Trainer {
  /// The failure of a run whose loss or gradient is no longer a number: it names the step, the
  /// tensor and the virtual shard, and where the state before the step is kept.
  ///
  /// The sum has overwritten the shards' gradients, so the step is computed again, which gives the
  /// same bits. All ranks call this together.
  func divergence(_ total: Totals, norm: Double) throws(RunFailure) -> RunFailure {
    // The cause is an earlier update that overflowed; this step is the first to show it.
    try refuseInfiniteState()
    let step = state.step + 1
    session.reduction.shards.flat.fill(0)
    spoilGradientIfAsked()
    let shards = session.reduction.shards
    _ = session.workload.accumulateGradients(session.parameters, into: shards)
    let place = try agreedPlace(firstPlace(in: shards))
    session.workload.model.revert(session.parameters)
    let kept = RunFolder("\(run.path)/diverged")
    var cure = divergenceCure
    do throws(RunFailure) {
      try save(in: kept)
      try finishSave()
      cure += "; the state before the step is in \(kept.checkpoint(step: state.step))"
    } catch {
      cure += "; the state before the step could not be saved: \(error)"
    }
    return RunFailure(
      .diverged,
      "step \(step): the loss is \(total.meanLoss) and the norm of the gradient"
        + " \(norm); \(place); \(cure)")
  }

  /// What to do about numbers that have overflowed.
  var divergenceCure: String {
    let clip =
      configuration.optimizer.clipNorm > 0
      ? "or optimizer.clip_norm" : "or set optimizer.clip_norm=1"
    let saved = state.savedStep ?? 0
    let start = saved > 0 ? "resume from step \(saved)" : "start again"
    return "lower optimizer.learning_rate \(clip), and \(start)"
  }

  /// The first of this rank's shards with a gradient that is not finite, and the one of its tensors
  /// that is nearest to the loss.
  private func firstPlace(
    in shards: ShardedBuffer<Float>
  ) -> (shard: Int, tensor: String)? {
    let first = session.plan.shards(of: session.communicator.rank).lowerBound
    for shard in 0..<shards.shards {
      let gradients = shards[shard]
      // The backward pass runs from the end of the layout to its start, so the last such tensor is
      // nearest to the cause.
      for entry in gradients.layout.entries.reversed()
      where gradients[entry].array.contains(where: { !$0.isFinite }) {
        return (first + shard, entry.name)
      }
    }
    return nil
  }

  /// A description of the first such shard over all ranks.
  private func agreedPlace(
    _ own: (shard: Int, tensor: String)?
  ) throws(RunFailure) -> String {
    do {
      let shards = try session.communicator.allgather(own?.shard ?? Int.max)
      let rank = shards.indices.min { shards[$0] < shards[$1] }!
      guard shards[rank] < .max else {
        return "every shard's gradient is finite, but their sum is not"
      }
      let text =
        "\(own?.tensor ?? "") in virtual shard \(shards[rank]), rank \(rank) on"
        + " \(MPI.Environment.processorName)"
      let place = try session.communicator.broadcast(Array(text.utf8), from: rank)
      return "the gradient of " + String(decoding: place, as: UTF8.self)
        + ", is the first that is not finite"
    } catch {
      throw RunFailure(error)
    }
  }

  /// Damages a gradient, for tests of `divergence(_:norm:)`: if the environment variable
  /// `MOMENTUM_DIST_SPOIL_GRADIENT` is `SHARD:STEP`, the first element of the gradient of that
  /// virtual shard is NaN in that step. Any other value of the variable is ignored.
  func spoilGradientIfAsked() {
    let owned = session.plan.shards(of: session.communicator.rank)
    guard let fault = Self.spoiledShard, fault.step == state.step + 1, owned.contains(fault.place)
    else { return }
    session.reduction.shards.flat.row(fault.place - owned.lowerBound)[0] = .nan
  }

  private static let spoiledShard = InjectedFault("MOMENTUM_DIST_SPOIL_GRADIENT")
}
