// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import DataParallel

@Suite struct SumTreeTests {
  /// The sum as text, which shows the order of the additions.
  private func text(_ node: Range<Int>) -> String {
    var sums = (0..<node.upperBound).map(String.init)
    SumTree.walk(node) { right, left in sums[left] = "(\(sums[left])+\(sums[right]))" }
    return sums[node.lowerBound]
  }

  @Test func theTreeIsTheDocumentedOne() {
    #expect(text(0..<1) == "0")
    #expect(text(0..<4) == "((0+1)+(2+3))")
    #expect(text(0..<6) == "(((0+1)+(2+3))+(4+5))")
    #expect(text(0..<7) == "(((0+1)+(2+3))+((4+5)+6))")
  }

  /// For any split, the additions within ranks and between ranks form the same tree.
  @Test(arguments: 1...16) func ranksWalkTheSameTree(shards: Int) {
    for ranks in 1...shards {
      let plan = ShardPlan(shards: shards, ranks: ranks)
      var sums = (0..<shards).map(String.init)
      var leaves: Set<Range<Int>> = []
      for rank in 0..<ranks {
        for node in SumTree.subtrees(within: plan.shards(of: rank), of: 0..<shards) {
          SumTree.walk(node) { right, left in sums[left] = "(\(sums[left])+\(sums[right]))" }
          leaves.insert(node)
        }
      }
      SumTree.walk(0..<shards, leaves: leaves) { right, left in
        sums[left] = "(\(sums[left])+\(sums[right]))"
      }
      #expect(sums[0] == text(0..<shards), "\(ranks) ranks")
    }
  }

  @Test func alignedBlocksAreOneSubtree() {
    let plan = ShardPlan(shards: 8, ranks: 4)
    for rank in 0..<4 {
      #expect(SumTree.subtrees(within: plan.shards(of: rank), of: 0..<8).count == 1)
    }
  }
}

@Suite struct ShardPlanTests {
  @Test func everyRowBelongsToOneShardAndEveryShardToOneRank() {
    for (shards, ranks) in [(8, 1), (8, 3), (8, 8), (5, 2)] {
      let plan = ShardPlan(shards: shards, ranks: ranks)
      #expect((0..<ranks).flatMap { plan.shards(of: $0) } == Array(0..<shards))
      for count in [0, 1, 3, 8, 100, 128] {
        #expect((0..<shards).flatMap { plan.rows(of: $0, in: count) } == Array(0..<count))
        for rank in 0..<ranks {
          let starts = plan.rowStarts(ofRank: rank, in: count)
          #expect(starts.count == plan.shards(of: rank).count + 1)
          #expect(starts.last == plan.rows(ofRank: rank, in: count).count)
        }
        for shard in 0..<shards {
          #expect(plan.shards(of: plan.owner(of: shard)).contains(shard))
          let rows = plan.rows(of: shard, in: count)
          #expect(plan.rows(ofShards: shard..<shard + 1, in: count) == rows)
          #expect(plan.rowStarts(ofShards: shard..<shard + 1, in: count) == [0, rows.count])
        }
      }
    }
  }
}
