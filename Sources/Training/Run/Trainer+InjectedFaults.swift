// SPDX-License-Identifier: Apache-2.0

import Models
import Tensors

extension Trainer {
  /// This rank's pass over the batch, with the faults that a test asks for.
  func runPass(
    _ parameters: ParameterBuffer<Float>, into shards: ShardedBuffer<Float>
  ) -> [Totals] {
    spoilGradientIfAsked()
    defer { flipGradientIfAsked() }
    return session.workload.accumulateGradients(parameters, into: shards)
  }

  // MARK: Faults of a processor

  /// If the environment variable `MOMENTUM_DIST_FLIP_GRADIENT` is `RANK:STEP`, flips the lowest bit
  /// of the first element of the gradient of every shard that this rank owns, from that step on.
  /// What the rank computes as an auditor stays correct, so intermittent faults are tested too.
  private func flipGradientIfAsked() {
    guard let fault = Self.gradientFault, isHit(by: fault) else { return }
    let shards = session.reduction.shards
    for shard in 0..<shards.shards { Self.flip(0, ofElement: 0, of: shards.flat.row(shard)) }
  }

  /// If the environment variable `MOMENTUM_DIST_FLIP_ACTIVATION` is `RANK:STEP`, every pass of this
  /// rank from that step on flips a bit of the last element of the states that the read-out sees,
  /// for its own shards and as an auditor.
  func disturbIfAsked() {
    guard let fault = Self.activationFault else { return }
    session.workload.model.disturbance = { [unowned self] states in
      if isHit(by: fault) { Self.flip(22, ofElement: states.count - 1, of: states) }
    }
  }

  private func isHit(by fault: InjectedFault) -> Bool {
    fault.place == session.communicator.rank && state.step + 1 >= fault.step
  }

  private static func flip(_ bit: UInt32, ofElement index: Int, of numbers: Tensor<Float>) {
    numbers[index] = Float(bitPattern: numbers[index].bitPattern ^ 1 << bit)
  }

  private static let gradientFault = InjectedFault("MOMENTUM_DIST_FLIP_GRADIENT")
  private static let activationFault = InjectedFault("MOMENTUM_DIST_FLIP_ACTIVATION")
}
