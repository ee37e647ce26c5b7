// SPDX-License-Identifier: Apache-2.0

import Foundation
import MPI

/// Lets all ranks finish a piece of work together: either all continue, or all throw the same
/// failure.
///
/// Otherwise, if one rank fails alone (its disk, its file), the others would wait forever in the
/// next collective.
public struct Agreement {
  let communicator: Communicator

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

  /// Runs `body` on rank 0 and returns its result on every rank: files and folders may differ
  /// between hosts.
  ///
  /// - Parameter body: runs only on rank 0
  public func fromRoot<Value: Codable>(_ body: () throws -> Value) throws(RunFailure) -> Value {
    let own: Value? = try together { communicator.rank == 0 ? try body() : nil }
    return try broadcast(own, from: 0)
  }

  /// Returns one rank's value on every rank.
  ///
  /// - Parameter own: this rank's value; only that of `root` is used
  private func broadcast<Value: Codable>(
    _ own: Value?, from root: Int
  ) throws(RunFailure) -> Value {
    do {
      // In an array, because not every JSON parser accepts a bare number or string.
      let bytes = try own.map { Array(try JSONEncoder().encode([$0])) } ?? []
      let all = try communicator.broadcast(bytes, from: root)
      return try JSONDecoder().decode([Value].self, from: Data(all))[0]
    } catch {
      throw RunFailure(error)
    }
  }

  /// The failure of the lowest rank that has one, on every rank; nil if none has.
  private func share(_ failure: RunFailure?) throws(RunFailure) -> RunFailure? {
    let size = communicator.size
    let culprit: Int
    do {
      culprit = try communicator.allreduce(failure == nil ? size : communicator.rank, .minimum)
    } catch {
      throw RunFailure(error)
    }
    guard culprit < size else { return nil }
    let agreed = try broadcast(culprit == communicator.rank ? failure : nil, from: culprit)
    // A failure of rank 0 usually affects all ranks: name the rank only if it is another.
    return culprit > 0 ? RunFailure(agreed.status, "rank \(culprit): \(agreed.message)") : agreed
  }
}
