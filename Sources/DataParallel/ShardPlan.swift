/// How a global batch is cut into virtual shards, and which rank owns which.
///
/// The cut depends on the configuration alone, the ownership on the rank count alone; so every
/// rank count computes the same shards.
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

  /// The shards that a rank owns: a contiguous run, the runs as even as can be.
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
    let owned = shards(of: rank)
    return rows(of: owned.lowerBound, in: count)
      .lowerBound..<rows(of: owned.upperBound - 1, in: count).upperBound
  }

  /// Where each of a rank's shards starts among the rank's own rows, and where the last one ends.
  public func rowStarts(ofRank rank: Int, in count: Int) -> [Int] {
    let first = rows(ofRank: rank, in: count).lowerBound
    let owned = shards(of: rank)
    return owned.map { rows(of: $0, in: count).lowerBound - first }
      + [rows(of: owned.upperBound - 1, in: count).upperBound - first]
  }
}
