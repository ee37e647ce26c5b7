// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Files

@Suite struct FailpointTests {
  @Test func aPlanIsRead() throws {
    let plan = FailpointPlan(
      "checkpoint.begin=kill,checkpoint.view=fail#3,checkpoint.rename=nospace@1#2,"
        + "checkpoint.prune=delay:0.5@4,checkpoint.latest=readonly,start.data=quota,"
        + "train.step=usr1,train.step=usr2#7", rank: 0)
    let entries = try #require(plan.entries)
    #expect(
      entries.map(\.action) == [
        .kill, .fail(EIO), .fail(ENOSPC), .delay(0.5), .fail(EROFS), .fail(EDQUOT),
        .signal(SIGUSR1), .signal(SIGUSR2),
      ])
    #expect(entries.map(\.rank) == [nil, nil, 1, 4, nil, nil, nil, nil])
    #expect(entries.map(\.count) == [nil, 3, 2, nil, nil, nil, nil, 7])
    #expect(
      entries.map(\.point) == [
        .checkpointBegin, .checkpointView, .checkpointRename, .checkpointPrune,
        .checkpointLatest, .startData, .trainStep, .trainStep,
      ])
  }

  @Test(arguments: [
    "nowhere=kill", "checkpoint.begin", "checkpoint.begin=burn", "checkpoint.begin=kill#0",
    "checkpoint.begin=kill@x", "checkpoint.begin=delay:", "checkpoint.begin=delay:nan",
    "checkpoint.begin=delay:-1", "checkpoint.begin=kill@-1",
  ])
  func aMistakeFailsAtTheFirstPoint(text: String) {
    let error = #expect(throws: FileError.self) {
      try FailpointPlan(text, rank: 0).pass(.checkpointView, "file")
    }
    #expect(error?.code == EINVAL && error?.path == FailpointPlan.variable)
  }

  @Test func aPointActsOnItsRankAndPassageOnly() throws {
    func failures(_ text: String, rank: Int) -> [Int] {
      let plan = FailpointPlan(text, rank: rank)
      return (1...4).filter { _ in
        _ = try? plan.pass(.checkpointBegin, "other")
        return (try? plan.pass(.checkpointView, "file")) == nil
      }
    }
    #expect(failures("checkpoint.view=fail", rank: 7) == [1, 2, 3, 4])
    #expect(failures("checkpoint.view=fail#2", rank: 0) == [2])
    #expect(failures("checkpoint.view=fail@1#3", rank: 1) == [3])
    #expect(failures("checkpoint.view=fail@1#3", rank: 0) == [])
    #expect(failures("checkpoint.rename=fail", rank: 0) == [])
  }

  @Test func failuresNameTheFileAndThePoint() {
    let error = #expect(throws: FileError.self) {
      try FailpointPlan("checkpoint.view=nospace", rank: 3).pass(.checkpointView, "a/file")
    }
    #expect(error?.description.hasPrefix("a/file: cannot pass checkpoint.view: No space") == true)
  }
}
