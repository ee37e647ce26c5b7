// SPDX-License-Identifier: Apache-2.0

import Foundation
import MPI

extension TrainingSession {
  /// The sequences of the first batch that all ranks compare.
  static let comparedSequences = 64

  /// Throws on every rank if any rank reads other numbers than rank 0 in the first sequences of the
  /// first batch, by their global index. Equal files may still be read differently, by another
  /// build or another version of a library; generated data depend on the mathematical library.
  static func refuseUnequalNumbers(
    _ workload: Workload, on communicator: Communicator
  ) throws(RunFailure) {
    guard communicator.size > 1 else { return }
    let own = try Agreement(communicator).together {
      try workload.stream.firstChecksums(comparedSequences)
    }
    let compared = own.map { Self.spoil($0, rank: communicator.rank) }
    let text = compared.map { "\($0.sequence):\($0.crc32)" }.joined(separator: " ")
    try refuseUnequal(text, on: communicator) { (first, other, rank) in
      let pairs = zip(first.split(separator: " "), other.split(separator: " "))
      let sequence = pairs.first { $0 != $1 }?.0.split(separator: ":").first ?? "0"
      return RunFailure(
        .unusableData,
        "rank \(rank) reads other numbers than rank 0 in sequence \(sequence) of the training part;"
          + " give every host the same data and the same build of the program")
    }
  }

  /// Damages a checksum, for tests: with `MOMENTUM_DIST_SPOIL_DATA=RANK` in the environment, that
  /// rank reads another number in the last sequence that is compared.
  private static func spoil(
    _ own: (sequence: Int, crc32: UInt32), rank: Int
  ) -> (sequence: Int, crc32: UInt32) {
    let isAsked = ProcessInfo.processInfo.environment["MOMENTUM_DIST_SPOIL_DATA"] == "\(rank)"
    return isAsked ? (own.sequence, own.crc32 ^ 1) : own
  }
}
