// SPDX-License-Identifier: Apache-2.0

import Foundation
import MPI

/// The result of a trial at the end of a rung.
public struct TrialResult: Codable, Sendable {
  /// The best validation score, lower is better; nil if the trial diverged.
  public var score: Double?
  /// The step of the best checkpoint.
  public var step: Int?
  /// The results of that checkpoint.
  public var values: [String: Double]

  public init(score: Double?, step: Int?, values: [String: Double]) {
    (self.score, self.step, self.values) = (score, step, values)
  }
}

/// An order of rank 0 to a group of ranks.
enum TrialOrder: Codable {
  case train(trial: Int, configuration: String)
  /// All trials are done.
  case finish
  /// All ranks end with this failure.
  case fail(RunFailure)
}

/// How a group's work on a trial ended.
enum TrialOutcome: Codable {
  case done(TrialResult)
  /// A signal ended it, and it is saved.
  case interrupted
  case failed(RunFailure)
}

/// A report of a group to rank 0. Without a trial, it reports a signal to a rank that waits for
/// one.
struct TrialReport: Codable {
  var trial: Int?
  var outcome: TrialOutcome
}

/// The messages between rank 0 and the groups. No call blocks, because a group may be busy for
/// hours.
final class TrialChannel {
  private enum Tag: Int { case report, order, stop }

  private let communicator: Communicator
  private var sending: [PostedMessage] = []

  init(_ communicator: Communicator) {
    self.communicator = communicator
  }

  var rank: Int { communicator.rank }

  /// Sends a report to rank 0.
  func send(_ report: TrialReport) throws(RunFailure) { try post(report, to: 0, .report) }

  func send(_ order: TrialOrder, to rank: Int) throws(RunFailure) {
    try post(order, to: rank, .order)
  }

  /// Asks the group of a first rank to save and stop.
  func sendStop(to rank: Int) throws(RunFailure) { try postBytes([], to: rank, .stop) }

  /// A report that has arrived, and the rank that it is from; nil if there is none.
  func takeReport() throws(RunFailure) -> (source: Int, report: TrialReport)? { try take(.report) }

  /// An order that has arrived; nil if there is none.
  func takeOrder() throws(RunFailure) -> TrialOrder? { try take(.order)?.1 }

  /// Whether a request to stop has arrived.
  func takeStop() throws(RunFailure) -> Bool { try receive(.stop) != nil }

  private func post(_ message: some Encodable, to rank: Int, _ tag: Tag) throws(RunFailure) {
    do {
      try postBytes(Array(JSONEncoder().encode(message)), to: rank, tag)
    } catch {
      throw RunFailure(error)
    }
  }

  private func postBytes(_ bytes: [UInt8], to rank: Int, _ tag: Tag) throws(RunFailure) {
    do {
      sending.append(try communicator.post(bytes, to: rank, tag: tag.rawValue))
    } catch {
      throw RunFailure(error)
    }
  }

  private func take<Message: Decodable>(_ tag: Tag) throws(RunFailure) -> (Int, Message)? {
    guard let (source, bytes) = try receive(tag) else { return nil }
    do {
      return (source, try JSONDecoder().decode(Message.self, from: Data(bytes)))
    } catch {
      throw RunFailure(error)
    }
  }

  private func receive(_ tag: Tag) throws(RunFailure) -> (source: Int, bytes: [UInt8])? {
    do {
      try release()
      return try communicator.receiveIfArrived(tag: tag.rawValue)
    } catch {
      throw RunFailure(error)
    }
  }

  /// Whether every message has left.
  var isIdle: Bool { sending.isEmpty }

  /// Frees the messages that have left.
  private func release() throws(MPIError) {
    for index in sending.indices.reversed() where try sending[index].hasLeft() {
      sending.remove(at: index)
    }
  }
}
