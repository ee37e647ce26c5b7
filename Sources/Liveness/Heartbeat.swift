/// What a rank tells the others a few times a second, in one datagram.
struct Heartbeat: Equatable, Sendable {
  var rank: Int
  var activity: Activity
  /// How long it has been at that, in seconds.
  var activitySeconds: Double
  /// How long the MPI call at hand has been waiting; 0 where none is.
  var waitSeconds: Double
  /// Whether it has given up on a peer and is about to end, and on which; nil while all is well.
  var culprit: Int?

  /// The datagram: 64-bit words, the least significant byte first.
  ///
  /// - Parameter job: a number that other jobs do not have
  func bytes(job: UInt64) -> [UInt8] {
    let words = [
      job, UInt64(rank), activity.packed, activitySeconds.bitPattern, waitSeconds.bitPattern,
      UInt64(bitPattern: Int64(culprit ?? -1)),
    ]
    return words.flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) } }
  }

  static let byteCount = 48

  init(
    rank: Int, activity: Activity, activitySeconds: Double, waitSeconds: Double, culprit: Int?
  ) {
    self.rank = rank
    self.activity = activity
    self.activitySeconds = activitySeconds
    self.waitSeconds = waitSeconds
    self.culprit = culprit
  }

  /// Reads a datagram. Nil where it is not of this job and of one of its `ranks` ranks: anybody can
  /// send to a port.
  init?(_ bytes: [UInt8], job: UInt64, ranks: Int) {
    guard bytes.count == Self.byteCount else { return nil }
    let words = (0..<6).map { word in
      (0..<8).reduce(UInt64(0)) { $0 | UInt64(bytes[8 * word + $1]) << (8 * $1) }
    }
    guard words[0] == job, words[1] < UInt64(ranks) else { return nil }
    let culprit = Int64(bitPattern: words[5])
    guard culprit >= -1, culprit < ranks else { return nil }
    self.init(
      rank: Int(words[1]), activity: Activity(packed: words[2]),
      activitySeconds: Double(bitPattern: words[3]), waitSeconds: Double(bitPattern: words[4]),
      culprit: culprit < 0 ? nil : Int(culprit))
  }
}
