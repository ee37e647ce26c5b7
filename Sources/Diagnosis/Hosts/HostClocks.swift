// SPDX-License-Identifier: Apache-2.0

import Foundation
import MPI

/// How far the clocks of hosts are apart.
enum HostClocks {
  private static let tag = 1

  /// Messages to each rank. The quickest counts, because it was delayed least.
  private static let rounds = 5

  /// Returns, on rank 0, the seconds that the clock of each of `ranks` is ahead of its own, and
  /// zeros elsewhere.
  ///
  /// Rank 0 sends at t0 and has the answer at t1. The clock c of the other rank was read between
  /// them, so it is ahead by c - (t0 + t1) / 2, to within (t1 - t0) / 2. Every rank calls this.
  static func offsets(of ranks: [Int], on world: Communicator) throws(MPIError) -> [Double] {
    var offsets = [Double](repeating: 0, count: ranks.count)
    for (index, peer) in ranks.enumerated() where peer != 0 {
      if world.rank == 0 { offsets[index] = try offset(of: peer, on: world) }
      if world.rank == peer { try answer(on: world) }
    }
    return offsets
  }

  private static func offset(of peer: Int, on world: Communicator) throws(MPIError) -> Double {
    var best = (offset: 0.0, delay: Double.infinity)
    for _ in 0..<rounds {
      let sent = Date().timeIntervalSince1970
      try world.send([sent].span, to: peer, tag: tag)
      var theirs = [0.0]
      var span = theirs.mutableSpan
      try world.receive(into: &span, from: peer, tag: tag)
      let now = Date().timeIntervalSince1970
      guard now - sent < best.delay else { continue }
      best = (theirs[0] - (sent + now) / 2, now - sent)
    }
    return best.offset
  }

  private static func answer(on world: Communicator) throws(MPIError) {
    for _ in 0..<rounds {
      var ignored = [0.0]
      var span = ignored.mutableSpan
      try world.receive(into: &span, from: 0, tag: tag)
      try world.send([Date().timeIntervalSince1970].span, to: 0, tag: tag)
    }
  }
}
