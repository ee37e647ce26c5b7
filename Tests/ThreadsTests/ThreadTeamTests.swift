// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization
import Testing

@testable import Threads

@Suite struct ThreadTeamTests {
  @Test(arguments: [1, 2, 3, 7]) func eachIndexIsCalledOnceInEachRun(count: Int) throws {
    let team = try ThreadTeam(count)
    let calls = Mutex([Int](repeating: 0, count: count))
    for _ in 0..<200 { team.run { index in calls.withLock { $0[index] += 1 } } }
    #expect(calls.withLock { $0 } == Array(repeating: 200, count: count))
  }

  /// Each waits for the other: one after the other they would never end.
  @Test func theyRunSideBySide() throws {
    let team = try ThreadTeam(2)
    let (here, there) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
    team.run { index in
      (index == 0 ? here : there).signal()
      (index == 0 ? there : here).wait()
    }
  }

  @Test func resultsComeInTheOrderOfTheIndices() throws {
    let team = try ThreadTeam(4)
    for wanted in 1...4 {
      #expect(team.map(wanted) { "\($0)" } == (0..<wanted).map(String.init))
    }
  }

  /// Flushing of denormals belongs to a thread: each must have set it.
  @Test func everyNewThreadIsSetUpOnce() throws {
    let started = Mutex(0)
    let team = try ThreadTeam(3) { started.withLock { $0 += 1 } }
    for _ in 0..<10 { team.run { _ in } }
    #expect(started.withLock { $0 } == 2)
  }

  /// A stack larger than the address space: the system refuses the thread.
  @Test func aTeamWhoseThreadsCannotStartSaysSo() {
    #expect(throws: ThreadError.self) { try ThreadTeam(3, stackBytes: 1 << 50) {} }
  }
}
