// SPDX-License-Identifier: Apache-2.0

import DataParallel
import Diagnosis
import Foundation
import Testing

@testable import Training

@Suite struct MemoryNeedTests {
  private func report(
    host: Int, bytes: Double, physical: Double = 100, group: (String, Double)? = nil,
    process: Double? = nil
  ) -> MemoryNeed.Report {
    MemoryNeed.Report(
      host: host, name: "host\(host)", bytes: bytes,
      memory: MachineMemory(
        physicalBytes: physical, groupBytes: group?.1, group: group?.0 ?? "", processBytes: process)
    )
  }

  @Test func ranksOfAHostShareItsMemory() {
    let two = MemoryNeed.excess(of: [
      report(host: 0, bytes: 60), report(host: 0, bytes: 60), report(host: 1, bytes: 60),
    ])
    #expect(two[0] == .init(needed: 120, ranks: 2, place: "host0 has", limit: 100))
    #expect(two[1] == two[0] && two[2] == nil, "the other host has room")
    #expect(
      MemoryNeed.excess(of: [report(host: 0, bytes: 50), report(host: 0, bytes: 50)])
        .allSatisfy { $0 == nil })
  }

  @Test func aControlGroupIsSharedByThoseInIt() {
    // Slurm gives each task its own group, or all tasks of a host a common one.
    let own = MemoryNeed.excess(of: [
      report(host: 0, bytes: 30, group: ("/a", 40)), report(host: 0, bytes: 30, group: ("/b", 40)),
    ])
    #expect(own.allSatisfy { $0 == nil })
    let shared = MemoryNeed.excess(of: [
      report(host: 0, bytes: 30, group: ("/a", 40)), report(host: 0, bytes: 30, group: ("/a", 40)),
      report(host: 1, bytes: 30, group: ("/a", 40)),
    ])
    #expect(
      shared[1]
        == .init(needed: 60, ranks: 2, place: "the control group on host0 allows", limit: 40))
    #expect(shared[2] == nil)
  }

  @Test func aProcessHasALimitOfItsOwn() {
    let limited = MemoryNeed.excess(of: [
      report(host: 0, bytes: 30, process: 20), report(host: 0, bytes: 30),
    ])
    #expect(limited[0]?.place == "ulimit -v on host0 allows" && limited[1] == nil)
  }
}
