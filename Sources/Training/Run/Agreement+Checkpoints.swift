// SPDX-License-Identifier: Apache-2.0

import Checkpoints
import MPI

extension Agreement: SavingRanks {
  public typealias Failure = RunFailure

  public var isRoot: Bool { communicator.rank == 0 }

  public func gather(_ own: [UInt8]) throws -> [[UInt8]]? {
    try communicator.gather(own, to: 0)
  }
}

extension Agreement {
  /// Uses the newest checkpoint at a path that `body` can read. Every rank calls this and gets the
  /// same one: the list is that of rank 0, and if one rank cannot read a checkpoint, all try the
  /// one before.
  ///
  /// - Parameters:
  ///   - path: a run's folder, or a checkpoint's
  ///   - body: reads a checkpoint; all ranks run it together, and fail together
  /// - Throws: the failure of the oldest, if none can be used; and at once any failure that is not
  ///   of status `unusableData`
  func newestUsable<Result>(
    at path: String, saying progress: Progress, _ body: (String) throws(RunFailure) -> Result
  ) throws(RunFailure) -> Result {
    try reading(at: path) { () throws(RunFailure) in
      let candidates = try fromRoot {
        let all = RunFolder.candidates(at: path)
        guard !all.isEmpty else { throw RunFolder.noCheckpoint(at: path) }
        return all
      }
      for (candidate, next) in zip(candidates, candidates.dropFirst()) {
        do throws(RunFailure) {
          return try body(candidate)
        } catch {
          guard error.status == .unusableData, try !haveChanged(at: path, since: candidates) else {
            throw error
          }
          progress.say("\(error); trying \(next)")
        }
      }
      return try body(candidates[candidates.count - 1])
    }
  }

  /// Reads a run that another process may be training; see `RunFolder.reading`. Every rank calls
  /// this, and all run `body` the same number of times.
  func reading<Result>(
    at path: String, _ body: () throws(RunFailure) -> Result
  ) throws(RunFailure) -> Result {
    try RunFolder.reading(
      listing: { () throws(RunFailure) in try fromRoot { RunFolder.candidates(at: path) } },
      retrying: { $0.status == .unusableData }, body)
  }

  /// Whether the list of checkpoints has changed, as rank 0 sees it.
  func haveChanged(at path: String, since before: [String]) throws(RunFailure) -> Bool {
    try fromRoot { RunFolder.candidates(at: path) } != before
  }
}
