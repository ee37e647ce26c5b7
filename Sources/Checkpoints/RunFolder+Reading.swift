extension RunFolder {
  /// The most times that a read is retried while another process changes the checkpoints.
  public static var readingAttempts: Int { 50 }

  /// Reads a run that another process may be training. A failure of `body` counts if the list of
  /// checkpoints is still the same; otherwise the run has saved and removed some meanwhile, and
  /// `body` runs again.
  ///
  /// - Parameter path: a run's folder, or a checkpoint's
  public static func reading<Result, Failure: Error>(
    at path: String, _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    for _ in 1..<readingAttempts {
      let before = candidates(at: path)
      do throws(Failure) {
        return try body()
      } catch {
        if candidates(at: path) == before { throw error }
      }
    }
    return try body()
  }
}
