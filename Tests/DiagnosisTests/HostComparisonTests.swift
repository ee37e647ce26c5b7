// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Diagnosis

/// What the comparison of hosts finds in the records of each.
@Suite struct HostComparisonTests {
  private func record(
    _ host: String, ranks: Int = 2, hdf5: String = "1.10.8", digest: String? = "abcdef0123",
    path: String = "/opt/md", sees: Bool? = true, clock: Double = 0
  ) -> HostRecord {
    HostRecord(
      host: host, ranks: ranks,
      findings: [.good("cores", "4"), .good("HDF5", hdf5)],
      program: ProgramFile(path: path, sha256: digest), seesOutput: sees, clockOffset: clock)
  }

  private func findings(_ records: HostRecord...) -> [Finding] {
    HostComparison(records: records).findings
  }

  private func one(_ check: String, in findings: [Finding]) throws -> Finding {
    let own = findings.filter { $0.check == check }
    return try #require(own.count == 1 ? own[0] : nil, "\(findings)")
  }

  @Test func equalHostsAreOneLineEach() throws {
    let all = findings(record("a"), record("b", clock: -0.004))
    #expect(all.allSatisfy { $0.state == .good && $0.hosts == nil }, "\(all)")
    #expect(
      all.map(\.check) == ["cores", "HDF5", "program", "shared folder", "clocks", "ranks"])
    #expect(try one("clocks", in: all).text == "at most 4.0 ms apart")
    #expect(try one("ranks", in: all).text == "4 on 2 hosts are connected")
    #expect(try one("program", in: all).text == "/opt/md on all hosts, SHA-256 abcdef01")
  }

  @Test func oneHostIsComparedWithNone() {
    let all = findings(record("a"))
    #expect(all.map(\.check) == ["cores", "HDF5", "ranks"])
    #expect(all.last?.text == "2 on one host are connected")
  }

  @Test func whatDiffersNamesItsHosts() throws {
    let all = findings(record("a"), record("b", ranks: 1, hdf5: "1.14.0"), record("c"))
    let versions = all.filter { $0.check == "HDF5" }
    #expect(versions.map(\.hosts) == [["a", "c"], ["b"]])
    #expect(versions[1].lines == "ok     HDF5            b: 1.14.0")
    let note = try one("libraries", in: all)
    #expect(note.state == .note && note.text == "HDF5 differs between hosts (see above)")
    #expect(try one("ranks", in: all).text == "5 on 3 hosts are connected: 2 on a, c, 1 on b")
  }

  @Test func anotherProgramIsWrong() throws {
    let other = try one("program", in: findings(record("a"), record("b", digest: "99")))
    #expect(other.state == .wrong)
    #expect(
      other.text == "the hosts run different programs: /opt/md (SHA-256 abcdef01) on a,"
        + " /opt/md (SHA-256 99) on b")
    let moved = try one("program", in: findings(record("a"), record("b", path: "/usr/md")))
    #expect(moved.state == .note && moved.text.hasSuffix("/opt/md on a, /usr/md on b"))
  }

  @Test func aFolderOfOneHostIsWrong() throws {
    let all = findings(record("a"), record("b", sees: false), record("c", sees: false))
    let finding = try one("shared folder", in: all)
    #expect(finding.state == .wrong)
    #expect(finding.text == "b, c do not see what a writes to the folder for runs")
    // Rank 0 could not write there, which its own check says.
    #expect(
      !findings(record("a", sees: nil), record("b", sees: nil)).contains {
        $0.check == "shared folder"
      })
  }

  @Test func clocksThatDisagreeAreNoted() throws {
    let late = try one("clocks", in: findings(record("a"), record("b", clock: -3)))
    #expect(late.state == .note)
    #expect(late.text == "b is 3.0 s behind a: times in logs and on files mislead")
    let early = try one(
      "clocks", in: findings(record("a"), record("b", clock: 2.5), record("c", clock: 90)))
    #expect(early.text.hasPrefix("c (and 1 more) is 90.0 s ahead of a"))
    // One is ahead of rank 0's and one behind.
    let near = try one(
      "clocks", in: findings(record("a"), record("b", clock: -0.5), record("c", clock: 0.75)))
    #expect(near.state == .good && near.text == "at most 1250.0 ms apart")
  }

  @Test func ofFreeBytesTheLeastCounts() throws {
    var (a, b, c) = (record("a"), record("b"), record("c"))
    a.findings = [.good("memory", "2 GB available", free: 2 << 30)]
    b.findings = [.good("memory", "1 GB available", free: 1 << 30)]
    c.findings = [.good("memory", "3 GB available", free: 3 << 30)]
    let finding = try one("memory", in: findings(a, b, c))
    #expect(finding.text == "1 GB available on b, the least of all hosts" && finding.hosts == nil)
    // A host with too little is named.
    c.findings = [.note("memory", "1 KB available", cure: "less")]
    #expect(
      findings(a, b, c).filter { $0.check == "memory" }.map(\.hosts) == [["a"], ["b"], ["c"]])
  }

  @Test func longListsAreCutShort() {
    #expect(HostComparison.names(["a", "b", "c", "d"]) == "a, b, c, d")
    #expect(HostComparison.names(["a", "b", "c", "d", "e"]) == "a, b, c and 2 more")
  }
}
