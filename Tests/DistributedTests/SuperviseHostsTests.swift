// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// launch/supervise --fewer continues without a host that computes wrong results, and follows its host file.
@Suite(.serialized) struct SuperviseHostsTests {
  /// The arguments of each start of a fake launcher, which ends with 70 and a note at the first.
  ///
  /// - Parameters:
  ///   - note: the lines of RUN/wrong-host; nil writes none
  ///   - change: a command of the shell between the starts
  private func starts(
    _ launcher: String, _ command: [String], note: [String]?, change: String = "true",
    fewer: Bool = true, in folder: String
  ) throws -> (outcome: Program.Outcome, starts: [String]) {
    let script = "\(folder)/\(launcher)"
    let lines = note.map { "printf '%s\\n' \($0.map { "'\($0)'" }.joined(separator: " "))" }
    try """
    #!/bin/bash
    words=("$@")
    for i in "${!words[@]}"; do
      case ${words[i]} in *file) words[i + 1]=$(paste -s -d ' ' "${words[i + 1]}") ;; esac
    done
    echo "${words[*]}" >>starts
    [ $(wc -l <starts) = 1 ] || exit 0
    \(lines.map { "\($0) >run/wrong-host" } ?? "true")
    \(change)
    exit \(note == nil ? 76 : 70)
    """.write(toFile: script, atomically: true, encoding: .utf8)
    try #require(chmod(script, 0o755) == 0)
    let outcome = try Program.script(
      "supervise", (fewer ? ["--fewer"] : []) + [script] + command + ["--output", "run"],
      in: folder, deadline: 60)
    let starts = try String(contentsOfFile: "\(folder)/starts", encoding: .utf8)
    return (
      outcome,
      starts.split(separator: "\n").map { $0.replacingOccurrences(of: " --output run", with: "") }
    )
  }

  private static let note = ["node2", "node1 2", "node2 1", "node3.cluster 2"]

  /// However the command names its hosts.
  @Test(arguments: [
    ("mpirun", "-np 5 x", "--host node1:2,node3.cluster:2 -np 4 x"),
    ("mpirun", "--host a@node1:2,node2,node3:2 -np 5 x", "--host a@node1:2,node3:2 -np 4 x"),
    ("mpirun", "-np 5 -H node1:2,node2.cluster:1,node3:2 x", "-np 4 -H node1:2,node3:2 x"),
    ("srun", "-n 5 x", "--exclude=node2 --nodes=2 -n 4 x"),
    ("srun", "-c 2 -n 5 x", "--exclude=node2 --nodes=2 -c 2 -n 4 x"),
    ("virtual-cluster", "--hosts 3 x", "--without node2 --hosts 3 x"),
  ])
  func theHostThatComputesWrongIsLeftOut(
    launcher: String, command: String, expected: String
  ) throws {
    try Places.withTemporaryFolder { folder in
      let words = command.split(separator: " ").map(String.init)
      let (outcome, starts) = try starts(launcher, words, note: Self.note, in: folder)
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(starts == [command, expected], "\(outcome.errors)")
      let count = launcher == "virtual-cluster" ? "2 hosts" : "4 ranks"
      #expect(
        outcome.errors.contains(
          "supervise: node2 computes wrong results and is left out; restart 1 of 3 from the beginning, on"
            + " \(count)"), "\(outcome.errors)")
      #expect(!FileManager.default.fileExists(atPath: "\(folder)/run/wrong-host"))
    }
  }

  @Test func aHostFileIsCopiedWithoutIt() throws {
    try Places.withTemporaryFolder { folder in
      try "# all\nnode1 slots=2\nnode2 slots=1  # slow\nuser@node3 slots=2\n".write(
        toFile: "\(folder)/hosts", atomically: true, encoding: .utf8)
      let (outcome, starts) = try starts(
        "mpirun", ["--hostfile", "hosts", "-np", "5", "x"], note: Self.note, in: folder)
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(
        starts == [
          "--hostfile # all node1 slots=2 node2 slots=1  # slow user@node3 slots=2 -np 5 x",
          "--hostfile # all node1 slots=2 user@node3 slots=2 -np 4 x",
        ], "\(outcome.errors)")
    }
  }

  /// Without --fewer, with no other host, or with a host that the command does not name, the run
  /// ends with the status of the audit.
  @Test func otherwiseTheRunEnds() throws {
    for (command, note, fewer, message) in [
      (["-np", "5", "x"], Self.note, false, ""),
      (["-np", "2", "x"], ["node2", "node2 2"], true, "results, and there is no other host"),
      (["--host", "a,b", "-np", "2", "x"], Self.note, true, "results, and is not found in a,b"),
      (["-np", "2", "x"], ["$(id)", "a 1", "b 1"], true, "names no host"),
    ] {
      try Places.withTemporaryFolder { folder in
        let (outcome, starts) = try starts(
          "mpirun", command, note: note, fewer: fewer, in: folder)
        #expect(outcome.status == 70 && starts.count == 1, "\(outcome.errors)")
        let isSaid = message.isEmpty ? outcome.errors.isEmpty : outcome.errors.contains(message)
        #expect(isSaid, "\(outcome.errors)")
      }
    }
  }

  /// A host that is added to the host file takes part from the next restart on, and --fewer takes away
  /// the lost rank. If hosts are taken out, there are at most as many ranks as slots.
  @Test(arguments: [
    (false, "echo node3 slots=3 >>hosts", "node1 slots=2 node2 slots=2 node3 slots=3 -np 7 x"),
    (true, "echo node3 slots=3 >>hosts", "node1 slots=2 node2 slots=2 node3 slots=3 -np 6 x"),
    (false, "echo node1 slots=2 >hosts", "node1 slots=2 -np 2 x"),
    (true, "echo node1 slots=2 >hosts", "node1 slots=2 -np 2 x"),
    (false, "true", "node1 slots=2 node2 slots=2 -np 4 x"),
    (false, "rm hosts", "-np 4 x"),
  ])
  func ranksFollowTheHostFile(fewer: Bool, change: String, expected: String) throws {
    try Places.withTemporaryFolder { folder in
      try "node1 slots=2\nnode2 slots=2\n".write(
        toFile: "\(folder)/hosts", atomically: true, encoding: .utf8)
      let (outcome, starts) = try starts(
        "mpirun", ["--hostfile", "hosts", "-np", "4", "x"], note: nil, change: change,
        fewer: fewer, in: folder)
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(
        starts.last?.split(separator: " ").joined(separator: " ") == "--hostfile \(expected)",
        "\(outcome.errors)")
      #expect(
        outcome.errors.contains("hosts has ") == (change.hasPrefix("echo")), "\(outcome.errors)")
    }
  }

  /// A number of ranks that is not that of the slots does not grow with them, and stays as long as
  /// there are slots for it.
  @Test(arguments: [
    ("08", "echo node3 slots=3 >>hosts", "8"), ("3", "echo node1 slots=2 >hosts", "2"),
    ("2", "echo node1 slots=2 >hosts", "2"), ("3", "echo node1 max-slots=9 slots=2 >hosts", "2"),
  ])
  func otherNumbersOfRanksOnlyShrink(ranks: String, change: String, expected: String) throws {
    try Places.withTemporaryFolder { folder in
      try "node1 slots=2\nnode2 slots=2\n".write(
        toFile: "\(folder)/hosts", atomically: true, encoding: .utf8)
      let (outcome, starts) = try starts(
        "mpirun", ["--hostfile", "hosts", "-np", ranks, "x"], note: nil, change: change,
        fewer: false, in: folder)
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(starts.count == 2 && starts.last?.hasSuffix("-np \(expected) x") == true, "\(starts)")
    }
  }

  /// The host that the audit found may be out of the host file already.
  @Test func aHostThatIsTakenOutIsNotSubtractedTwice() throws {
    try Places.withTemporaryFolder { folder in
      try "node1 slots=2\nnode2 slots=1\nnode3 slots=2\n".write(
        toFile: "\(folder)/hosts", atomically: true, encoding: .utf8)
      let (outcome, starts) = try starts(
        "mpirun", ["--hostfile", "hosts", "-np", "5", "x"], note: Self.note,
        change: "sed -i /node2/d hosts", in: folder)
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(starts.last == "--hostfile node1 slots=2 node3 slots=2 -np 4 x", "\(starts)")
    }
  }

  /// A lost rank takes the last host that is not left out.
  @Test func theLastHostThatIsLeftIsTakenAway() throws {
    try Places.withTemporaryFolder { folder in
      let script = "\(folder)/virtual-cluster"
      try """
      #!/bin/bash
      echo "$*" >>starts
      case $(wc -l <starts) in
      1) printf '%s\\n' node3 'node1 1' 'node2 1' 'node3 1' >run/wrong-host; exit 70 ;;
      2) exit 76 ;;
      esac
      """.write(toFile: script, atomically: true, encoding: .utf8)
      try #require(chmod(script, 0o755) == 0)
      let outcome = try Program.script(
        "supervise", ["--fewer", script, "--hosts", "3", "x", "--output", "run"], in: folder,
        deadline: 60)
      #expect(outcome.status == 0, "\(outcome.errors)")
      let starts = try String(contentsOfFile: "\(folder)/starts", encoding: .utf8)
      #expect(
        starts.hasSuffix("--without node3 --hosts 1 x --output run\n"),
        "\(starts) \(outcome.errors)")
      #expect(outcome.errors.contains("beginning, on 1 host\n"), "\(outcome.errors)")
    }
  }

  /// The host that is left out stays out of a host file that grows.
  @Test func aHostThatIsLeftOutStaysOut() throws {
    try Places.withTemporaryFolder { folder in
      try "node1 slots=2\nnode2 slots=1\nnode3 slots=2\n".write(
        toFile: "\(folder)/hosts", atomically: true, encoding: .utf8)
      let (outcome, starts) = try starts(
        "mpirun", ["--hostfile", "hosts", "-np", "5", "x"], note: Self.note,
        change: "echo node4 slots=2 >>hosts", in: folder)
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(
        starts.last == "--hostfile node1 slots=2 node3 slots=2 node4 slots=2 -np 6 x",
        "\(outcome.errors)")
    }
  }
}
