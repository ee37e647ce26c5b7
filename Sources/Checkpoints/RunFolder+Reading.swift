extension RunFolder {
  /// The most times that a read is retried while another process changes the checkpoints.
  private static var readingAttempts: Int { 50 }

  /// Reads a run that another process may be training. A failure of `body` counts if the list of
  /// checkpoints is still the same; otherwise the run has saved and removed some meanwhile, and
  /// `body` runs again.
  ///
  /// - Parameter path: a run's folder, or a checkpoint's
  public static func reading<Result, Failure: Error>(
    at path: String, _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try reading(
      listing: { () throws(Failure) in candidates(at: path) }, retrying: { _ in true }, body)
  }

  /// Reads with another way to list the checkpoints, as ranks do that agree on what they see.
  ///
  /// - Parameters:
  ///   - listing: the checkpoints that there are
  ///   - isOfData: whether a failure may come from a list that has changed
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
