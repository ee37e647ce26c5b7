// SPDX-License-Identifier: Apache-2.0

import KernelInterface

/// Adjacent rows of one shard. Their part of the weight gradients is summed as one chain in each
/// block of time.
struct Stripe {
  /// The shard that owns the rows; nil if no shard does.
  var shard: Int?
  /// Whether the stripe has all rows of its shard.
  var isWhole: Bool
  var first: Int
  var count: Int
}

/// The rows of a call, cut into stripes. How a shard is cut depends only on its own rows.
struct Stripes {
  private let start: UnsafeMutablePointer<Stripe>
  private(set) var count = 0

  /// The caller must free it with `free()`.
  init(_ gradients: ShardGradients<Float>, rows: Int) {
    let most = 2 * (gradients.shards + rows / Blocking.stripeRows + 1)
    start = UnsafeMutablePointer<Stripe>.allocate(capacity: most)
    var next = 0
    for shard in 0..<gradients.shards {
      let (first, end) = (gradients.rowStarts[shard], gradients.rowStarts[shard + 1])
      if first >= end { continue }
      add(nil, first: next, end: first)
      add(shard, first: first, end: end)
      next = end
    }
    add(nil, first: next, end: rows)
  }

  private mutating func add(_ shard: Int?, first: Int, end: Int) {
    if first >= end { return }
    let rows = end - first
    let parts = (rows + Blocking.stripeRows - 1) / Blocking.stripeRows
    for part in 0..<parts {
      let (from, to) = (rows * part / parts, rows * (part + 1) / parts)
      start[count] = Stripe(
        shard: shard, isWhole: parts == 1, first: first + from, count: to - from)
      count += 1
    }
  }

  func free() { start.deallocate() }

  subscript(index: Int) -> Stripe { start[index] }

  /// The end of the group of stripes that starts with stripe `index`. A group has as many stripes
  /// as together have at most `rows` rows, but at least one.
  ///
  /// The stripes of one shard add to the same gradient, in the order of the groups. A group has
  /// either whole shards or stripes of a single shard, so the result of a shard does not depend on
  /// its neighbours.
  func groupEnd(from index: Int, rows: Int) -> Int {
    let first = self[index]
    var (end, sum) = (index + 1, first.count)
    while end < count, sum + self[end].count <= rows {
      let next = self[end]
      guard first.isWhole ? next.isWhole : !next.isWhole && next.shard == first.shard else {
        break
      }
      sum += next.count
      end += 1
    }
    return end
  }

  /// The largest number of steps in a block of time of any stripe.
  func longestTimeBlock(_ shape: LayerGeometry) -> Int {
    var longest = 1
    for index in 0..<count { longest = max(longest, timeBlock(index, shape)) }
    return longest
  }

  /// The largest number of rows in a block of time of any stripe, all its steps together.
  func deepestTimeBlock(_ shape: LayerGeometry) -> Int {
    var deepest = 1
    for index in 0..<count {
      deepest = max(deepest, timeBlock(index, shape) * self[index].count)
    }
    return deepest
  }

  private func timeBlock(_ index: Int, _ shape: LayerGeometry) -> Int {
    min(Blocking.timeBlock(rows: self[index].count), max(shape.steps, 1))
  }

  /// The rows of stripes `first ..< end`.
  func rows(_ first: Int, _ end: Int) -> Int {
    first == end ? 0 : self[end - 1].first + self[end - 1].count - self[first].first
  }
}
