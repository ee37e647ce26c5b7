// SPDX-License-Identifier: Apache-2.0

/// How a global batch is split into virtual shards, and which rank owns which.
///
/// The split depends only on the configuration, and who owns a shard depends only on the number of
/// ranks. So any number of ranks computes the same shards.
public struct ShardPlan: Sendable, Hashable {
  /// V, the number of virtual shards.
  public let shards: Int
  /// The number of ranks.
  public let ranks: Int

  public init(shards: Int, ranks: Int) {
    precondition(ranks > 0 && shards >= ranks, "\(shards) shards for \(ranks) ranks")
    self.shards = shards
    self.ranks = ranks
  }

  /// The consecutive shards that a rank owns. They are distributed as evenly as possible.
  public func shards(of rank: Int) -> Range<Int> {
    shards * rank / ranks..<shards * (rank + 1) / ranks
  }

  /// The rows of a batch of `count` that a shard holds. A short last batch is spread over all
  /// shards, of which some may then be empty.
  public func rows(of shard: Int, in count: Int) -> Range<Int> {
    count * shard / shards..<count * (shard + 1) / shards
  }

  /// The rows of a batch of `count` that a rank holds.
  public func rows(ofRank rank: Int, in count: Int) -> Range<Int> {
    rows(ofShards: shards(of: rank), in: count)
  }

  /// The rows of a batch of `count` that some neighbouring shards hold, at least one.
  public func rows(ofShards shards: Range<Int>, in count: Int) -> Range<Int> {
    rows(of: shards.lowerBound, in: count)
      .lowerBound..<rows(of: shards.upperBound - 1, in: count).upperBound
  }

  /// The rank that owns a shard.
  public func owner(of shard: Int) -> Int {
    (0..<ranks).first { shards(of: $0).contains(shard) }!
  }

  /// The start of each of a rank's shards among the rank's own rows, and the end of the last one.
  public func rowStarts(ofRank rank: Int, in count: Int) -> [Int] {
    rowStarts(ofShards: shards(of: rank), in: count)
  }

  /// The start of each of some neighbouring shards among their rows, and the end of the last one.
  public func rowStarts(ofShards shards: Range<Int>, in count: Int) -> [Int] {
    let own = rows(ofShards: shards, in: count)
    return shards.map { rows(of: $0, in: count).lowerBound - own.lowerBound } + [own.count]
  }
}
