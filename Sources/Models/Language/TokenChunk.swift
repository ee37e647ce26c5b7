// SPDX-License-Identifier: Apache-2.0

/// Some steps of every column of a text on one rank: tokens, and the target that follows each.
public struct TokenChunk: Sendable {
  /// T, steps: the same on every rank, even on one without columns.
  public var steps: Int
  /// [T, N], time first.
  public var tokens: [Int32]
  /// The token that follows each, [T, N].
  public var targets: [Int32]
  /// N, columns on this rank.
  public var columns: Int
  /// Shard s of this rank owns the columns `columnStarts[s] ..< columnStarts[s + 1]`.
  public var columnStarts: [Int]

  public init(
    steps: Int, tokens: [Int32], targets: [Int32], columns: Int, columnStarts: [Int]
  ) {
    precondition(
      tokens.count == steps * columns && targets.count == tokens.count,
      "\(tokens.count) tokens with \(targets.count) targets in [\(steps), \(columns)]")
    precondition(
      columnStarts.first == 0 && columnStarts.last == columns,
      "column starts \(columnStarts) do not cut \(columns) columns")
    self.steps = steps
    self.tokens = tokens
    self.targets = targets
    self.columns = columns
    self.columnStarts = columnStarts
  }

  /// The number of virtual shards that the columns belong to.
  public var shards: Int { columnStarts.count - 1 }

  /// The columns of only some shards, and their indices.
  func part(shards: Range<Int>) -> (chunk: TokenChunk, columns: Range<Int>) {
    let own = columns(ofShards: shards)
    func part(_ all: [Int32]) -> [Int32] {
      (0..<steps).flatMap { all[$0 * columns + own.lowerBound..<$0 * columns + own.upperBound] }
    }
    let starts = columnStarts[shards.lowerBound...shards.upperBound].map { $0 - own.lowerBound }
    return (
      TokenChunk(
        steps: steps, tokens: part(tokens), targets: part(targets), columns: own.count,
        columnStarts: starts), own
    )
  }

  func columns(ofShards shards: Range<Int>) -> Range<Int> {
    columnStarts[shards.lowerBound]..<columnStarts[shards.upperBound]
  }

  /// The rows of [T·N] that belong to a shard, step by step.
  func rows(ofShard shard: Int) -> [Int] {
    let own = columnStarts[shard]..<columnStarts[shard + 1]
    return (0..<steps).flatMap { t in own.map { t * columns + $0 } }
  }
}
