// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Liveness

/// Scenarios of lost and late peers, simulated in the bookkeeping without clocks.
@Suite struct PeerTableTests {
  private static let hosts = ["one", "one", "two", "two"]

  /// Rank 0 of 4, with a limit of 10 s, after this many seconds of the others' activities.
  private struct Story {
    var table = PeerTable(rank: 0, ranks: 4)
    var activity = Activity(.reducing, step: 41)
    /// The MPI call that rank 0 is in.
    var wait: UInt64? = 7
    var missing: Set<Int> = []
    /// The heartbeat of each peer; nil means silence.
    var says: [Int: Heartbeat] = [:]

    init() {
      for rank in 1..<4 { says[rank] = beat(rank, .reducing, waiting: 1) }
    }

    func beat(
      _ rank: Int, _ phase: Phase, for seconds: Double = 0, waiting: Double = 0,
      culprit: Int? = nil
    ) -> Heartbeat {
      Heartbeat(
        rank: rank, activity: Activity(phase, step: 41), activitySeconds: seconds,
        waitSeconds: waiting, culprit: culprit)
    }

    mutating func pass(_ seconds: Int) {
      for _ in 0..<4 * seconds {
        for heartbeat in says.values {
          var heartbeat = heartbeat
          heartbeat.activitySeconds += table.activitySeconds
          if heartbeat.waitSeconds > 0 { heartbeat.waitSeconds = table.waitSeconds }
          table.hear(heartbeat)
        }
        table.advance(by: 0.25, activity: activity, wait: wait) { [missing] in
          missing.contains($0)
        }
      }
    }

    var culprits: [PeerTable.Culprit]? { table.culprits(limit: 10, savingLimit: 60) }
    var ranks: [Int]? { culprits.map { $0.map(\.rank) } }
    var report: String { table.report(culprits, hosts: PeerTableTests.hosts) }
  }

  @Test func nobodyIsBlamedBeforeTheLimit() {
    var story = Story()
    story.says[2] = nil
    story.pass(9)
    #expect(story.culprits == [])
    story.pass(2)
    #expect(story.ranks == [2])
    #expect(story.report.hasPrefix("rank 0 on one waited 11 s (reducing, step 41): "))
    #expect(story.report.contains("nothing was ever heard from rank 2 on two"))
  }

  @Test func aRankThatFellSilentIsNamedWithWhatItDidLast() {
    var story = Story()
    story.says[3] = story.beat(3, .computing)
    story.pass(1)
    story.says[3] = nil
    story.pass(10)
    #expect(story.ranks == [3])
    #expect(
      story.report.contains(
        "rank 3 on two has been silent for 10 s (last seen computing, step 41)"))
  }

  @Test func aRankThatAnswersButDoesNotWaitIsStuck() {
    var story = Story()
    story.says[1] = story.beat(1, .readingData, for: 3)
    story.pass(11)
    #expect(story.ranks == [1])
    #expect(story.report.contains("rank 1 on one is stuck in reading data, step 41, for"))
  }

  /// Arriving messages show that all is well, even without heartbeats.
  @Test func silenceAloneEndsNoRun() {
    var story = Story()
    story.says = [:]
    for call in 0..<10 {
      story.wait = UInt64(call)
      story.pass(8)
      #expect(story.culprits == [])
    }
    story.wait = nil
    story.pass(100)
    #expect(story.culprits == [])
  }

  @Test func aMissingProcessEndsTheRunAtOnce() {
    var story = Story()
    story.wait = nil
    story.pass(1)
    story.missing = [1]
    story.pass(1)
    #expect(story.culprits == [.init(rank: 1, evidence: .gone)])
    #expect(
      story.report.contains("the process of rank 1 on one is gone (last seen reducing, step 41)"))
  }

  @Test func aRankThatWasStoppedBlamesNobody() {
    var story = Story()
    story.wait = nil
    story.table.sleep(for: 12)
    story.missing = [1]
    story.pass(1)
    #expect(story.report.hasPrefix("rank 0 on one was stopped for 12 s (reducing, step 41)"))
    #expect(!story.report.contains("rank 1"))
  }

  /// A run that was stopped, and went on, blames the peer that it loses later.
  @Test func aStopLongAgoIsForgotten() {
    var story = Story()
    story.wait = nil
    story.table.sleep(for: 12)
    story.pass(11)
    #expect(story.report.contains("was stopped for 12 s"))
    story.pass(2)
    story.missing = [1]
    story.pass(1)
    #expect(story.report.contains("the process of rank 1 on one is gone"), "\(story.report)")
  }

  @Test func aLostLauncherEndsTheRun() {
    var story = Story()
    story.wait = nil
    story.pass(1)
    #expect(story.culprits == [])
    story.table.loseLauncher()
    #expect(story.culprits == nil)
    #expect(story.report.contains("its launcher, such as mpirun, is gone"))
  }

  @Test func atTheEndProcessesMayGo() {
    var story = Story()
    story.says[1] = story.beat(1, .ending)
    story.pass(1)
    story.missing = [1]
    story.pass(1)
    #expect(story.culprits == [], "rank 1 had said that it ends")
    story.missing = [1, 2]
    story.activity = Activity(.ending, step: 41)
    story.pass(1)
    #expect(story.culprits == [], "this rank ends too")
    story.pass(11)
    #expect(story.ranks?.contains(2) == true, "but it does not wait forever")
  }

  @Test func whatAnotherRankFoundIsPassedOn() {
    var story = Story()
    story.wait = nil
    story.says[1]?.culprit = 2
    story.pass(1)
    #expect(story.culprits == [.init(rank: 2, evidence: .reported(by: 1))])
    #expect(story.report.contains("rank 1 on one gave up on rank 2 on two"))
    story.says[1]?.culprit = 0
    story.pass(1)
    #expect(story.report.hasPrefix("rank 0 on one kept the others waiting (reducing, step 41"))
  }

  @Test func aDeadlockWithoutACulpritIsReportedToo() {
    var story = Story()
    story.pass(11)
    #expect(story.culprits == nil)
    #expect(story.report.contains("every rank answers"))
  }

  /// Only the ranks of the own trial can keep this one waiting; the others train something else.
  @Test func ranksOfOtherTrialsMayBeBusy() {
    var story = Story()
    story.table.companions = 0..<2
    story.says[2] = story.beat(2, .saving)
    story.says[3] = story.beat(3, .readingData, for: 3)
    story.says[1] = story.beat(1, .computing, for: 3)
    story.pass(9)
    #expect(story.culprits == [])
    story.pass(2)
    #expect(story.ranks == [1])
    story.says[1] = story.beat(1, .reducing, waiting: 1)
    story.pass(1)
    #expect(story.culprits == nil, "a save of another trial is no reason for a wait")
  }

  /// A rank without work waits for as long as other trials take, but not for a lost rank.
  @Test func aRankWithoutWorkWaitsForRanksThatAnswer() {
    var story = Story()
    story.activity = Activity(.awaitingTrials, step: 41)
    story.wait = nil
    story.says[1] = story.beat(1, .computing, for: 3)
    story.says[2] = nil
    story.pass(100)
    #expect(story.culprits == [], "rank 2 has never answered: it may be behind a firewall")
    story.says[2] = story.beat(2, .computing)
    story.pass(1)
    story.says[2] = nil
    story.pass(8)
    #expect(story.culprits == [])
    story.pass(3)
    #expect(story.ranks == [2])
    #expect(story.report.contains("was at work (waiting for other trials"), "\(story.report)")
  }

  @Test func aRankWithoutWorkDoesNotWaitForASaveForever() {
    var story = Story()
    story.activity = Activity(.awaitingTrials, step: 41)
    story.wait = nil
    story.says[1] = story.beat(1, .saving)
    story.says[2] = story.beat(2, .computing)
    story.pass(59)
    #expect(story.culprits == [])
    story.pass(3)
    #expect(story.ranks == [1])
  }

  @Test func aDirectoryEntryReadsBack() {
    let entry = PeerDirectory.Entry(
      host: "odd name; with 1 2 3", process: .init(number: 12, start: 345), port: 6789,
      addresses: [SIMD4(10, 77, 0, 1), SIMD4(192, 168, 255, 2)])
    #expect(PeerDirectory.Entry(entry.text) == entry)
    let bare = PeerDirectory.Entry(
      host: "h", process: .init(number: 1, start: 2), port: 3, addresses: [])
    #expect(PeerDirectory.Entry(bare.text) == bare)
  }

  @Test func thisProcessIsAliveAndAnotherOfItsNumberIsNot() {
    #expect(ProcessIdentity.current.isAlive)
    let other = ProcessIdentity(
      number: ProcessIdentity.current.number, start: ProcessIdentity.current.start + 1)
    #expect(!other.isAlive)
  }

  /// A slow disk is not a lost peer.
  @Test func aRankThatSavesGetsTheLongerLimit() {
    var story = Story()
    story.says[1] = story.beat(1, .saving)
    story.pass(55)
    #expect(story.culprits == [])
    story.pass(10)
    #expect(story.ranks == [1])
    #expect(story.report.contains("rank 1 on one is stuck in saving, step 41, for"))
  }

  @Test func aLostRankIsNamedWhileAnotherSaves() {
    var story = Story()
    story.says[1] = story.beat(1, .saving)
    story.says[2] = nil
    story.pass(11)
    #expect(story.ranks == [2])
  }

  /// A rank that saves and is itself waiting for a peer is not what the others wait for.
  @Test func aRankThatWaitsInASaveDoesNotExtendTheLimit() {
    var story = Story()
    story.says[1] = story.beat(1, .saving, waiting: 1)
    story.pass(11)
    #expect(story.culprits == nil)
  }

  /// When a slow save ends, others have already waited past the limit. The rank still gets time to
  /// reach the call in which they wait.
  @Test func aRankThatHasJustSavedIsWaitedFor() {
    var story = Story()
    story.says[1] = story.beat(1, .saving)
    story.pass(20)
    story.says[1] = story.beat(1, .readingData, for: -story.table.activitySeconds)
    story.pass(2)
    #expect(story.culprits == [])
    story.pass(5)
    #expect(story.culprits != [])
  }
}
