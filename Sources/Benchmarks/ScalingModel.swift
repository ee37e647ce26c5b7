// SPDX-License-Identifier: Apache-2.0

/// How long a message takes: a + bytes · b.
public struct LinkSpeed: Sendable, Codable {
  /// a, the seconds of an exchange of almost nothing.
  public var latency: Double
  /// b, the time per byte, with all ranks sending at once and in both directions.
  public var secondsPerByte: Double

  public init(latency: Double, secondsPerByte: Double) {
    self.latency = latency
    self.secondsPerByte = secondsPerByte
  }

  private enum CodingKeys: String, CodingKey {
    case latency = "latency_seconds"
    case secondsPerByte = "seconds_per_byte"
  }
}

/// The time of a gradient's sum over n ranks, by the steps of recursive halving and doubling.
///
///     S(n) = Σ_{k < log2 n}  (2 K + 1) a_k + P / 2^{k+1} · (2 b_k + g)
///
/// P bytes are sent in K buckets. In step k each rank sends and receives P / 2^{k+1} in the halving
/// phase, adds that (g per byte), and sends and receives the same in the doubling phase. a_k and
/// b_k are those of a link inside a host if 2^k is below the ranks of a host, otherwise of one
/// between hosts. The 1 is for the losses. It is the cost model of Thakur, Rabenseifner and Gropp
/// (2005) with two kinds of links; it assumes that no rank is late.
public struct ScalingModel: Sendable, Codable {
  /// P
  public var gradientBytes: Int
  /// K
  public var buckets: Int
  /// g
  public var addSecondsPerByte: Double
  /// How many ranks share a host.
  public var ranksPerHost: Int
  /// a and b between ranks of one host.
  public var inside: LinkSpeed
  /// a and b between hosts.
  public var between: LinkSpeed

  public init(
    gradientBytes: Int, buckets: Int, addSecondsPerByte: Double, ranksPerHost: Int,
    inside: LinkSpeed, between: LinkSpeed
  ) {
    self.gradientBytes = gradientBytes
    self.buckets = buckets
    self.addSecondsPerByte = addSecondsPerByte
    self.ranksPerHost = ranksPerHost
    self.inside = inside
    self.between = between
  }

  /// S(n), for a power of two of ranks.
  public func reductionSeconds(ranks: Int) -> Double {
    precondition(ranks.nonzeroBitCount == 1, "\(ranks) ranks are not a power of two")
    return (0..<ranks.trailingZeroBitCount).reduce(0) { sum, step in
      let link = 1 << step < ranksPerHost ? inside : between
      let bytes = Double(gradientBytes) / Double(2 << step)
      return sum + Double(2 * buckets + 1) * link.latency
        + bytes * (2 * link.secondsPerByte + addSecondsPerByte)
    }
  }

  /// The number of hosts for this number of ranks.
  public func hosts(ranks: Int) -> Int { (ranks + ranksPerHost - 1) / ranksPerHost }
}
