// SPDX-License-Identifier: Apache-2.0

import DataParallel
import Liveness
import MPI

extension Trainer {
  /// Checks that every rank holds the same parameters, bit for bit. All ranks call this, and all
  /// throw if one differs.
  ///
  /// - Throws: `.diverged`, with the rank that differs and its host. With 2 ranks, or without a
  ///   majority, it is unknown which is right, and all are named.
  func checkReplicas() throws(RunFailure) {
    let odd: [ReplicaCheck.OddReplica]
    do {
      odd = try Deadline.during(.comparingReplicas) { () throws(MPIError) in
        try ReplicaCheck(session.communicator).oddReplicas(of: session.parameters.flat)
      }
    } catch {
      throw RunFailure(error)
    }
    if odd.isEmpty { return }
    let names = odd.map { "rank \($0.rank) on \($0.host)" }.joined(separator: ", ")
    let difference =
      odd.count == session.communicator.size
      ? "the parameters differ between \(names)"
      : "the parameters of \(names) differ from those of the others"
    throw RunFailure(
      .diverged,
      "step \(state.step): \(difference); resume from the last checkpoint, without that host if it"
        + " happens again: its memory or its libraries may be at fault", blamesHost: true)
  }

  /// Damages a replica, for tests of `checkReplicas()`: if the environment variable
  /// `MOMENTUM_DIST_FLIP_BIT` is `RANK:STEP`, flips the lowest bit of the first parameter of that
  /// rank after that step. Any other value of the variable is ignored.
  func flipBitIfAsked() {
    guard let fault = Self.parameterFault,
      fault.place == session.communicator.rank, fault.step == state.step
    else { return }
    let parameters = session.parameters.flat
    parameters[0] = Float(bitPattern: parameters[0].bitPattern ^ 1)
  }

  private static let parameterFault = InjectedFault("MOMENTUM_DIST_FLIP_BIT")
}
