// SPDX-License-Identifier: Apache-2.0

/// The binary tree in which the numbers of shards 0 ..< V are added, regardless of which ranks hold
/// them.
///
/// Floating-point addition is not associative, so the tree is fixed. A node over several shards is
/// the sum of two children. The left child has the largest power of two of shards that is smaller
/// than the node, and the right child has the rest.
///
///     V = 6:   ((0 + 1) + (2 + 3)) + (4 + 5)
struct SumTree {
  /// The shards below a node.
  typealias Node = Range<Int>

  /// Splits a node of two or more shards.
  static func split(_ node: Node) -> (left: Node, right: Node) {
    precondition(node.count > 1, "shard \(node) is a leaf")
    let leftCount = 1 << (Int.bitWidth - 1 - (node.count - 1).leadingZeroBitCount)
    let middle = node.lowerBound + leftCount
    return (node.lowerBound..<middle, middle..<node.upperBound)
  }

  /// The largest nodes within `owned`, in order: those that a rank can add up by itself.
  static func subtrees(within owned: Range<Int>, of root: Node) -> [Node] {
    if root.lowerBound >= owned.lowerBound && root.upperBound <= owned.upperBound {
      return root.isEmpty ? [] : [root]
    }
    if !root.overlaps(owned) { return [] }
    let (left, right) = split(root)
    return subtrees(within: owned, of: left) + subtrees(within: owned, of: right)
  }

  /// Adds up a node. The caller's function adds the right child's sum to the left child's. The sum
  /// of a node replaces its first shard.
  ///
  /// - Parameter leaves: the nodes whose sums exist already; nil is every shard
  static func walk(
    _ node: Node, leaves: Set<Node>? = nil, add: (_ right: Int, _ left: Int) -> Void
  ) {
    if node.count <= 1 || leaves?.contains(node) == true { return }
    let (left, right) = split(node)
    walk(left, leaves: leaves, add: add)
    walk(right, leaves: leaves, add: add)
    add(right.lowerBound, left.lowerBound)
  }
}
