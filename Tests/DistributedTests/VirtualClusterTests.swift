// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// What virtual hosts need.
enum VirtualHosts {
  static let reason = "needs root and the package iproute2, which are not there"

  static let arePossible =
    getuid() == 0
    && ["/usr/sbin/ip", "/sbin/ip", "/usr/bin/ip"].contains {
      FileManager.default.isExecutableFile(atPath: $0)
    }
}

/// Runs on several hosts, simulated by network namespaces of this machine.
@Suite(
  .serialized,
  .enabled(if: VirtualHosts.arePossible, Comment(rawValue: VirtualHosts.reason))
) struct VirtualClusterTests {
  private static let program = "\(Program.products)/momentum-dist"

  private static func cluster(
    _ options: [String], _ arguments: [String], in folder: String,
    meanwhile: () throws -> Void = {}
  ) throws -> Program.Outcome {
    try Program.script(
      "virtual-cluster", options + [program] + arguments, in: folder, deadline: 90,
      meanwhile: meanwhile)
  }

  @Test func theBitsAreThoseOfOneRank() throws {
    try Places.withTemporaryFolder { folder in
      let steps = ["--max-steps", "60"]
      #expect(try RankCountTests.train("alone", ranks: nil, in: folder, steps).status == 0)
      let expected = try RankCountTests.digest("alone", in: folder)
      for (run, options) in [
        ("two", ["--hosts", "2", "--ranks-per-host", "2"]),
        ("four", ["--hosts", "4", "--rate", "1gbit"]),
        // Neighbouring ranks on different hosts, and a count that is not a power of two.
        ("spread", ["--hosts", "3", "--ranks-per-host", "2", "--mpirun", "--map-by node"]),
      ] {
        let outcome = try Self.cluster(
          options, ["train", "--output", run] + RankCountTests.arguments + steps, in: folder)
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(try RankCountTests.digest(run, in: folder) == expected, "\(options)")
      }
    }
  }

  /// The rank of one host has a free core and would overlap, that of the other has none: they agree.
  @Test func hostsThatWouldDecideDifferentlyAgreeOnOverlap() throws {
    try Places.withTemporaryFolder { folder in
      let onOneCore =
        "if [ \"$OMPI_COMM_WORLD_RANK\" = 0 ]; then exec taskset --cpu-list 0 \"$0\" \"$@\"; fi;"
        + " exec \"$0\" \"$@\""
      let outcome = try Program.script(
        "virtual-cluster",
        ["--hosts", "2", "sh", "-c", onOneCore, Self.program, "train", "--output", "run"]
          + RankCountTests.arguments + ["--max-steps", "20"], in: folder, deadline: 90)
      #expect(outcome.status == 0, "\(outcome.errors)")
      for rank in 0..<2 {
        let log = try String(
          contentsOfFile: "\(folder)/run/logs/rank-0000\(rank).log", encoding: .utf8)
        #expect(log.contains(", overlap off"), "\(log)")
      }
    }
  }

  /// The ranks on the near side of the cut name those behind it; those behind it end too.
  @Test func aLinkThatGoesDownEndsAllAndIsNamed() throws {
    try Places.withTemporaryFolder { folder in
      let name = "test-\(UUID().uuidString)"
      let outcome = try Self.cluster(
        ["--hosts", "2", "--ranks-per-host", "2", "--name", name], DeadlineTests.arguments,
        in: folder
      ) {
        try DeadlineTests.waitForSteps(in: folder)
        let cut = try Program.script("virtual-cluster", ["cut", name, "node2"], in: folder)
        #expect(cut.status == 0, "\(cut.errors)")
      }
      #expect(outcome.status == 76, "\(outcome.errors)")
      let lines = DeadlineTests.lines(outcome)
      for rank in [0, 1] {
        let line = try #require(lines[rank], "\(outcome.errors)")
        #expect(line.contains("rank \(rank) on node1 waited 2 s"), "\(line)")
        #expect(
          line.contains("rank 2 on node2 has been silent for ")
            || line.contains("rank 3 on node2 has been silent for "), "\(line)")
      }
      DeadlineTests.expectNoProcess(in: folder)
    }
  }

  /// Each Open MPI gets its own names of options. Ranks yield only if the links are slow.
  @Test(arguments: [("4.1.4", "vader", "orte"), ("5.0.7", "sm", "prte")])
  func theOptionsFitTheVersion(version: String, memory: String, prefix: String) throws {
    try Places.withTemporaryFolder { folder in
      let script = """
        mkdir bin
        printf '%s\\n' '#!/bin/bash' \
          '[ "$1" = --version ] && echo "mpirun (Open MPI) \(version)" || echo "$*"' >bin/mpirun
        chmod +x bin/mpirun
        export PATH=$PWD/bin:$PATH
        '\(Places.package)/launch/virtual-cluster' --hosts 3 --without node2 true
        '\(Places.package)/launch/virtual-cluster' --hosts 2 --rate 1gbit true
        """
      let outcome = try Program.bash(script, in: folder, deadline: 60)
      let lines = outcome.output.split(separator: "\n").map(String.init)
      try #require(outcome.status == 0 && lines.count == 2, "\(outcome.errors)")
      #expect(lines[0].contains("--host 10.77.0.1:1,10.77.0.3:1 -np 2 "), "\(lines)")
      for line in lines {
        #expect(line.contains("--mca btl tcp,\(memory),self"), "\(line)")
        #expect(line.contains("--mca btl_\(memory)_backing_directory /run/netns/segments"))
        #expect(line.contains("--mca \(prefix)_tmpdir_base /run/netns/sessions"), "\(line)")
      }
      #expect(lines.map { $0.contains("mpi_yield_when_idle 1") } == [false, true], "\(lines)")
    }
  }

  /// The host of a rank that computes wrong results is named by the audit, and left out of the rest.
  @Test func aHostThatComputesWrongIsLeftOut() throws {
    try Places.withTemporaryFolder { folder in
      let steps = ["--max-steps", "40", "--set", "checkpoint.every_steps=5"]
      #expect(try RankCountTests.train("alone", ranks: nil, in: folder, steps).status == 0)
      let outcome = try Program.script(
        "supervise",
        [
          "--fewer", "\(Places.package)/launch/virtual-cluster", "--hosts", "3", Self.program,
          "train", "--output", "run", "--audit", "1",
        ] + RankCountTests.arguments + steps, in: folder,
        environment: ["MOMENTUM_DIST_FLIP_GRADIENT": "2:12"], deadline: 120)
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(outcome.errors.contains(": rank 2 on node3 is wrong in"), "\(outcome.errors)")
      #expect(
        outcome.errors.contains(
          "supervise: node3 computes wrong results and is left out; restart 1 of 3 from the newest"
            + " checkpoint of run, on 2 hosts"), "\(outcome.errors)")
      #expect(
        try RankCountTests.digest("run", in: folder) == RankCountTests.digest("alone", in: folder))
    }
  }

  /// If the script is interrupted, it leaves neither hosts nor processes. The signal goes only to
  /// the script, because one to its whole group, as from `timeout`, would also end leftovers.
  @Test(arguments: [SIGTERM, SIGKILL]) func nothingIsLeftOfAKilledCluster(signal: Int32) throws {
    try Places.withTemporaryFolder { folder in
      let outcome = try Self.cluster(["--hosts", "2"], DeadlineTests.arguments, in: folder) {
        try DeadlineTests.waitForSteps(in: folder)
        let script = RunningProcess.all(in: folder).first {
          $0.name == "bash" && $0.arguments.first?.hasSuffix("/virtual-cluster") == true
            && !$0.arguments.contains("--inside")
        }
        try #require(script).signal(signal)
        // Here, because it is impossible to wait for a process whose pipes are still open in
        // others.
        DeadlineTests.expectNoProcess(in: folder, but: ["timeout"])
      }
      #expect(outcome.status != 0)
    }
  }

  /// Open MPI of two clusters would use the same names for sessions and for shared memory.
  @Test func twoAtOnceDoNotMeet() throws {
    try Places.withTemporaryFolder { folder in
      let steps = RankCountTests.arguments + ["--max-steps", "12"]
      #expect(
        try RankCountTests.train("alone", ranks: nil, in: folder, ["--max-steps", "12"]).status == 0
      )
      let outcome = try Program.bash(
        """
        for run in one two; do
          '\(Places.package)/launch/virtual-cluster' --hosts 2 --ranks-per-host 2 \
            "$PROGRAM" train --output $run "$@" 2>$run.log & processes+=($!)
        done
        wait ${processes[0]}; echo "one $?"; wait ${processes[1]}; echo "two $?"
        cat one.log two.log >&2
        """, steps, in: folder)
      #expect(outcome.output == "one 0\ntwo 0\n", "\(outcome.errors)")
      let expected = try RankCountTests.digest("alone", in: folder)
      for run in ["one", "two"] {
        #expect(try RankCountTests.digest(run, in: folder) == expected, "\(run)")
      }
    }
  }

  /// SIGKILL leaves the file of the cluster's name; a name in use is not taken.
  @Test func namesOfDeadClustersAreCleared() throws {
    try Places.withTemporaryFolder { folder in
      let name = "test-\(UUID().uuidString)"
      let file = "/run/virtual-cluster/\(name).pid"
      let outcome = try Self.cluster(
        ["--hosts", "1", "--name", name], DeadlineTests.arguments, in: folder
      ) {
        try DeadlineTests.waitForSteps(in: folder)
        let second = try Program.script(
          "virtual-cluster", ["--hosts", "1", "--name", name, "true"], in: folder, deadline: 60)
        #expect(second.status == 69 && second.errors.contains("is running"), "\(second.errors)")
        let script = RunningProcess.all(in: folder).first {
          $0.name == "bash" && $0.arguments.first?.hasSuffix("/virtual-cluster") == true
            && !$0.arguments.contains("--inside")
        }
        try #require(script).signal(SIGKILL)
        DeadlineTests.expectNoProcess(in: folder, but: ["timeout"])
      }
      #expect(outcome.status != 0)
      #expect(FileManager.default.fileExists(atPath: file))
      let next = try Program.script(
        "virtual-cluster", ["--hosts", "1", "hostname"], in: folder, deadline: 60)
      #expect(next.status == 0 && next.output == "node1\n", "\(next.errors)")
      #expect(!FileManager.default.fileExists(atPath: file))
    }
  }
}
