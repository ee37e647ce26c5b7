// SPDX-License-Identifier: Apache-2.0

/// The state that a rank sends to the others a few times a second, in one datagram.
package struct Heartbeat: Equatable, Sendable {
  var rank: Int
  var activity: Activity
  /// How long it has been doing that, in seconds.
  var activitySeconds: Double
  /// How long the current MPI call has been waiting, in seconds; 0 outside MPI calls.
  var waitSeconds: Double
  /// The peer that it has given up on, if it is about to end because of that; nil otherwise.
  var culprit: Int?

  init(
    rank: Int, activity: Activity, activitySeconds: Double, waitSeconds: Double, culprit: Int?
  ) {
    self.rank = rank
    self.activity = activity
    self.activitySeconds = activitySeconds
    self.waitSeconds = waitSeconds
    self.culprit = culprit
  }
}

/// Heartbeats as datagrams that only the ranks of one job can make.
///
/// A datagram is six words and the tag of these words, each of 64 bits and the least significant
/// byte first: the sender's count of its datagrams, its rank, its activity, two times, the culprit.
/// The tag is SipHash-2-4 under a key that the ranks have agreed on over MPI and that no datagram
/// contains. The count grows, so a recorded datagram that is sent again is ignored.
package struct HeartbeatCoder: Sendable {
  /// The bytes of a datagram.
  package static let byteCount = 56
  private static let words = 6
  /// The longest time in seconds: thirty years.
  private static let longest = 1e9

  private let hash: SipHash
  private let ranks: Int
  /// The highest count of each rank so far; the next must be higher.
  private var counts: [UInt64]
  private var ownCount: UInt64 = 0

  /// - Parameter key: 128 random bits that only the ranks of the job know
  package init(key: (UInt64, UInt64), ranks: Int) {
    hash = SipHash(key: key.0, key.1)
    self.ranks = ranks
    counts = Array(repeating: 0, count: ranks)
  }

  /// The next datagram of this rank.
  package mutating func bytes(_ heartbeat: Heartbeat) -> [UInt8] {
    ownCount += 1
    let words = [
      ownCount, UInt64(heartbeat.rank), heartbeat.activity.packed,
      heartbeat.activitySeconds.bitPattern, heartbeat.waitSeconds.bitPattern,
      UInt64(bitPattern: Int64(heartbeat.culprit ?? -1)),
    ]
    func bytes(_ word: UInt64) -> [UInt8] {
      (0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) }
    }
    return tagged(words.flatMap(bytes))
  }

  /// A message followed by the tag of this job.
  package func tagged(_ message: [UInt8]) -> [UInt8] {
    let tag = hash.tag(of: message[...])
    return message + (0..<8).map { UInt8(truncatingIfNeeded: tag >> (8 * $0)) }
  }

  /// Reads a datagram, which anyone may have sent. Nil if it does not have the tag of this job, if
  /// a later one of the same sender has arrived, or if its numbers are impossible.
  package mutating func heartbeat(_ bytes: [UInt8]) -> Heartbeat? {
    guard bytes.count == Self.byteCount else { return nil }
    func word(_ index: Int) -> UInt64 { littleEndian(bytes[8 * index..<8 * index + 8]) }
    // All bits are compared at once, so that the time does not reveal how many are right.
    guard hash.tag(of: bytes[..<(8 * Self.words)]) ^ word(Self.words) == 0 else { return nil }
    guard word(1) < UInt64(ranks), word(0) > counts[Int(word(1))] else { return nil }
    let culprit = Int64(bitPattern: word(5))
    let times = (Double(bitPattern: word(3)), Double(bitPattern: word(4)))
    guard culprit >= -1, culprit < ranks, 0...Self.longest ~= times.0,
      0...Self.longest ~= times.1
    else { return nil }
    counts[Int(word(1))] = word(0)
    return Heartbeat(
      rank: Int(word(1)), activity: Activity(packed: word(2)), activitySeconds: times.0,
      waitSeconds: times.1, culprit: culprit < 0 ? nil : Int(culprit))
  }
}
