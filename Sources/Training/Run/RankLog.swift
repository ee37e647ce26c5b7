// SPDX-License-Identifier: Apache-2.0

import Checkpoints
import Files
import Foundation
import Reports

/// The log of one rank, in logs/rank-00003.log: where it ran, and how it spent its time. The rank
/// that the others wait for is the one with the largest share outside reduction.
///
/// It is for people to read: if the disk is full, a run continues without it. Nothing is written
/// through a link or into a pipe; rank 0 refuses a run's folder that has one of these instead of a
/// log.
final class RankLog {
  private let handle: FileHandle?

  init(_ run: RunFolder, rank: Int) {
    let path = run.log(rank: rank)
    try? DurableFiles.createFolder(DurableFiles.parent(of: path))
    handle = try? DurableFiles.openForAppending(path)
  }

  /// Adds a line with the time.
  func say(_ text: String) {
    let line = "\(ISO8601DateFormatter().string(from: Date()))  \(text.visible)\n"
    try? handle?.write(contentsOf: Data(line.utf8))
  }

  /// Adds a line on an interval of steps.
  func say(step: Int, seconds: Double, shares: [(StepClock.Phase, Double)]) {
    var parts = shares.map { "\($0.name) \(String(format: "%.1f", 100 * $1)) %" }
    if let bytes = ProcessMemory.residentBytes {
      parts.append("memory \(String(format: "%.1f", Double(bytes) / 1e6)) MB")
    }
    say("step \(step): \(brief(seconds)) s, \(parts.joined(separator: ", "))")
  }
}
