import MPI

/// Lets all ranks end a piece of work together: either all go on, or all throw the same failure.
///
/// A rank that fails by itself (its disk, its file) would otherwise leave the others waiting in
/// the next collective for ever.
public struct Agreement {
  private let communicator: Communicator

  public init(_ communicator: Communicator) {
    self.communicator = communicator
  }

  /// Runs `body` on every rank. If it throws on any, every rank throws the failure of the lowest
  /// such rank.
  public func together<Result>(_ body: () throws -> Result) throws(RunFailure) -> Result {
    let outcome = Swift.Result { try body() }.mapError { RunFailure($0) }
    var failure: RunFailure?
    if case .failure(let own) = outcome { failure = own }
    if let agreed = try share(failure) { throw agreed }
    return try outcome.get()
  }

  /// What rank 0 finds, on every rank: a file or the listing of a folder may differ between hosts.
  ///
  /// - Parameter body: runs on rank 0 alone, and gives texts without a zero character
  public func fromRoot(_ body: () throws -> [String]) throws(RunFailure) -> [String] {
    let own = try together { communicator.rank == 0 ? try body() : [] }
    do {
      let bytes = try communicator.broadcast(Array(own.joined(separator: "\0").utf8))
      return String(decoding: bytes, as: UTF8.self).split(separator: "\0").map(String.init)
    } catch {
      throw RunFailure(error)
    }
  }

  /// The failure of the lowest rank that has one, on every rank; nil if none has.
  private func share(_ failure: RunFailure?) throws(RunFailure) -> RunFailure? {
    do {
      let size = communicator.size
      let mine = failure == nil ? size : communicator.rank
      let culprit = try communicator.allreduce(mine, .minimum)
      guard culprit < size else { return nil }
      var message: [UInt8] = []
      if culprit == communicator.rank, let failure {
        message = Array("\(failure.status.rawValue) ".utf8) + Array(failure.message.utf8)
      }
      let text = String(decoding: try communicator.broadcast(message, from: culprit), as: UTF8.self)
      let parts = text.split(separator: " ", maxSplits: 1).map(String.init)
      let status = Int32(parts.first ?? "").flatMap(ExitStatus.init(rawValue:)) ?? .diverged
      // A failure of rank 0 is usually everyone's: name the rank only where it tells something.
      let culpritName = culprit > 0 ? "rank \(culprit): " : ""
      return RunFailure(status, culpritName + (parts.count > 1 ? parts[1] : ""))
    } catch {
      throw RunFailure(error)
    }
  }
}
