// SPDX-License-Identifier: Apache-2.0

import DataParallel
import Tensors
import Testing

@testable import Training

@Suite struct AuditPlanTests {
  private func plan(
    _ share: Double, seed: UInt64 = 1, shards: Int = 8, hosts: [String]
  ) -> AuditPlan {
    AuditPlan(
      share: share, seed: seed, shards: ShardPlan(shards: shards, ranks: hosts.count), hosts: hosts)
  }

  /// The share is met within four standard deviations of a binomial count.
  @Test(arguments: [0.01, 0.1, 0.5]) func theShareOfTheStepsIsAudited(share: Double) {
    let steps = 20_000
    let plan = plan(share, hosts: ["a", "b"])
    let count = (1...steps).count { plan.audit(atStep: $0) != nil }
    let deviation = (Double(steps) * share * (1 - share)).squareRoot()
    #expect(abs(Double(count) - Double(steps) * share) < 4 * deviation, "\(count)")
  }

  @Test func allStepsOrNone() {
    let (all, none) = (plan(1, hosts: ["a"]), plan(0, hosts: ["a"]))
    #expect((1...1000).allSatisfy { all.audit(atStep: $0)?.step == $0 })
    #expect((1...1000).allSatisfy { none.audit(atStep: $0) == nil })
  }

  /// Owner, auditor and referee are three ranks if there are three, every rank and every shard has
  /// its turn, and the choice of steps and shards does not depend on the ranks.
  @Test func everyRankHasItsTurn() {
    let alone = plan(0.5, hosts: ["a"])
    for ranks in 1...5 {
      let plan = plan(0.5, hosts: Array(repeating: "a", count: ranks))
      let audits = (1...2000).compactMap { plan.audit(atStep: $0) }
      #expect(audits.map(\.shard) == (1...2000).compactMap { alone.audit(atStep: $0)?.shard })
      #expect(Set(audits.map(\.shard)) == Set(0..<8))
      #expect(Set(audits.map(\.auditor)) == Set(0..<ranks))
      for audit in audits {
        #expect(audit.owner == ShardPlan(shards: 8, ranks: ranks).owner(of: audit.shard))
        #expect((audit.owner == audit.auditor) == (ranks == 1))
        #expect((audit.referee == nil) == (ranks < 3))
        if let referee = audit.referee { #expect(![audit.owner, audit.auditor].contains(referee)) }
      }
    }
    #expect(
      (1...100).contains {
        plan(0.5, seed: 2, hosts: ["a"]).audit(atStep: $0) != alone.audit(atStep: $0)
      })
  }

  /// Ranks of one host share a processor.
  @Test func anotherHostIsPreferred() {
    let hosts = ["a", "a", "b", "b", "c"]
    for audit in (1...500).compactMap({ plan(1, hosts: hosts).audit(atStep: $0) }) {
      let places = [audit.owner, audit.auditor, audit.referee!].map { hosts[$0] }
      #expect(Set(places).count == 3, "\(audit)")
    }
    for audit in (1...500).compactMap({ plan(1, hosts: ["a", "a", "b"]).audit(atStep: $0) }) {
      #expect((audit.owner == 2) != (audit.auditor == 2), "\(audit)")
    }
  }
}

@Suite struct AuditVerdictTests {
  private let layout: ParameterLayout = {
    var layout = ParameterLayout()
    layout.add("w", shape: [2])
    return layout
  }()
  private let right = ShardDigest(words: [1, 2, 3])
  private let wrong = ShardDigest(words: [1, 2, 4])
  private let audit = Audit(step: 8, shard: 3, owner: 1, auditor: 0, referee: 2)
  private let hosts = ["a", "b", "c"]

  private func verdict(
    _ audit: Audit, _ owner: ShardDigest, _ auditor: ShardDigest, _ referee: ShardDigest?
  ) -> AuditVerdict {
    AuditVerdict(audit, owner: owner, auditor: auditor, referee: referee, layout)
  }

  @Test func aThirdRankDecides() {
    let owner = verdict(audit, wrong, right, right)
    #expect(owner.suspects == [1] && owner.witnesses == [0, 2])
    #expect(
      owner.text(on: hosts).hasPrefix(
        "step 8, virtual shard 3: rank 1 on b is wrong in the gradient of w: ranks 0 and 2 agree on"
          + " a different result; ended before the update; "))
    let auditor = verdict(audit, right, wrong, right)
    #expect(auditor.suspects == [0] && auditor.witnesses == [1, 2])
    let none = verdict(audit, right, wrong, ShardDigest(words: [7, 2, 3]))
    #expect(none.suspects == [1, 0, 2] && none.witnesses.isEmpty)
    #expect(none.text(on: hosts).contains("3: rank 0 on a, rank 1 on b, rank 2 on c differ in "))
  }

  @Test func withoutAThirdBothAreNamed() {
    let two = Audit(step: 8, shard: 3, owner: 1, auditor: 0, referee: nil)
    let text = verdict(two, right, wrong, nil).text(on: hosts)
    #expect(text.contains("3: rank 0 on a, rank 1 on b differ in the gradient of w, and it is"))
    #expect(text.contains("(a third rank would decide)"))
    let one = Audit(step: 8, shard: 3, owner: 0, auditor: 0, referee: nil)
    #expect(
      verdict(one, right, wrong, nil).text(on: ["a"]).contains(
        "3: rank 0 on a computed it twice and got different bits in the gradient of w; ended"))
  }

  /// A host is known to be wrong if all suspects are on it.
  @Test func theHostOfTheSuspectsIsNoted() {
    let hosts = ["a", "b", "b", "c", "b"]
    let wrong = WrongHost(suspects: [2], hosts: hosts)
    #expect(wrong?.note(hosts: hosts) == "b\na 1\nb 3\nc 1\n")
    #expect(WrongHost(suspects: [1, 4], hosts: hosts)?.name == "b")
    #expect(WrongHost(suspects: [1, 3], hosts: hosts) == nil)
  }
}
