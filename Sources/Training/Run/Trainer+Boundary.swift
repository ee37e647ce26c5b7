// SPDX-License-Identifier: Apache-2.0

import Foundation
import MPI

// What the ranks agree on between steps.
extension Trainer {
  /// Agrees between steps, in one reduction, on the most urgent signal that any rank received,
  /// whether the save in progress can start its next stage, and whether to wait for data.
  ///
  /// - Parameter awaitingData: whether to return only when every rank has the data of the next
  ///   step, or must stop
  /// - Throws: a failure of status `peerLost` with the name of the rank, if one has waited for its
  ///   data longer than `peer_timeout`: no MPI call waits for it here, so no MPI deadline passes
  func agreeAtBoundary(awaitingData: Bool = false) throws(RunFailure) -> SignalRequest {
    var request = SignalRequest.none
    let began = ContinuousClock().now
    while true {
      let isIdle = saving?.isIdle ?? true
      let isReady = !awaitingData || session.workload.stream.isReady
      let isLate = !isReady && (ContinuousClock().now - began).seconds > configuration.peerTimeout
      let isOver =
        isRoot && maximumSeconds.map { (ContinuousClock().now - started).seconds >= $0 } ?? false
      let asked = try session.requestBetweenSteps?() ?? .none
      let votes = try maximum([
        max(SignalWatch.take(), asked).rawValue, isIdle ? 0 : 1, isReady ? 0 : 1,
        isLate ? session.communicator.rank + 1 : 0, isOver ? 1 : 0,
      ])
      if votes[4] > 0 { timeIsUp = true }
      request = max(request, SignalRequest(rawValue: votes[0]) ?? .none)
      if votes[1] == 0, saving != nil {
        try clock.measure(.checkpoint) { () throws(RunFailure) in try advanceSave() }
      }
      if votes[2] == 0 || timeIsUp || request == .saveAndStop { return request }
      if votes[3] > 0 { throw try lateData(of: votes[3] - 1) }
      clock.measure(.data) { Thread.sleep(forTimeInterval: 0.001) }
    }
  }

  /// The failure of all ranks if one of them does not receive its data.
  private func lateData(of rank: Int) throws(RunFailure) -> RunFailure {
    do {
      let host = try session.communicator.broadcast(
        Array(MPI.Environment.processorName.utf8), from: rank)
      return RunFailure(
        .peerLost,
        "rank \(rank) on \(String(decoding: host, as: UTF8.self)) is stuck in reading data, step"
          + " \(state.step + 1), for \(Int(configuration.peerTimeout.rounded(.up))) s; ended on every"
          + " rank; start again with --resume")
    } catch {
      throw RunFailure(error)
    }
  }

  /// The largest of the ranks' votes, element by element.
  private func maximum(_ votes: [Int]) throws(RunFailure) -> [Int] {
    var votes = votes
    do {
      var span = votes.mutableSpan
      try session.communicator.allreduce(&span, .maximum)
    } catch {
      throw RunFailure(error)
    }
    return votes
  }
}
