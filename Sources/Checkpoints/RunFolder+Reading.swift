// SPDX-License-Identifier: Apache-2.0

extension RunFolder {
  /// How often a read is retried while another process changes the checkpoints.
  private static var readingAttempts: Int { 50 }

  /// Reads a run that another process may be training. A failure of `body` counts only if the list
  /// of checkpoints is still the same; otherwise the run has saved and removed some meanwhile, and
  /// `body` runs again.
  ///
  /// - Parameters:
  ///   - path: a run's folder, or a checkpoint's
  ///   - body: reads the run; may run several times
  public static func reading<Result, Failure: Error>(
    at path: String, _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try reading(
      listing: { () throws(Failure) in candidates(at: path) }, retrying: { _ in true }, body)
  }

  /// Reads with another way to list the checkpoints, for ranks that agree on the list.
  ///
  /// - Parameters:
  ///   - listing: the existing checkpoints
  ///   - isOfData: whether a changed list may have caused a failure
  ///   - body: reads the run; may run several times
  public static func reading<Result, Failure: Error>(
    listing: () throws(Failure) -> [String], retrying isOfData: (Failure) -> Bool,
    _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    for _ in 1..<readingAttempts {
      let before = try listing()
      do throws(Failure) {
        return try body()
      } catch {
        guard isOfData(error), try listing() != before else { throw error }
      }
    }
    return try body()
  }
}
