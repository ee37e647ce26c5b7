// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// `doctor` on several hosts, simulated by network namespaces of this machine.
@Suite(
  .serialized,
  .enabled(if: VirtualHosts.arePossible, Comment(rawValue: VirtualHosts.reason))
) struct DoctorHostsTests {
  private static let program = "\(Program.products)/momentum-dist"

  private func doctor(
    _ options: [String], _ command: [String], in folder: String
  ) throws -> Program.Outcome {
    try Program.script(
      "virtual-cluster", options + command, in: folder, environment: ["OPENBLAS_NUM_THREADS": "1"],
      deadline: 90)
  }

  @Test func equalHostsAreReportedOnce() throws {
    try Places.withTemporaryFolder { folder in
      let outcome = try doctor(
        ["--hosts", "3", "--ranks-per-host", "2"], [Self.program, "doctor"], in: folder)
      #expect(outcome.status == 0, "\(outcome.output)\(outcome.errors)")
      let lines = outcome.output.split(separator: "\n")
      for check in ["cores", "Open MPI", "OpenBLAS", "HDF5", "program", "shared folder", "clocks"] {
        #expect(lines.count { $0.dropFirst(7).hasPrefix("\(check) ") } == 1, "\(outcome.output)")
      }
      #expect(outcome.output.contains("6 on 3 hosts are connected\n"), "\(outcome.output)")
      #expect(!outcome.output.contains("node2: "), "\(outcome.output)")
    }
  }

  /// One host has another program, other kernels and a folder of its own.
  @Test func whatDiffersNamesItsHost() throws {
    try Places.withTemporaryFolder { folder in
      let script = """
        if [ "$(hostname)" = node2 ]; then
          mkdir -p own && cd own && cp "$0" program && printf x >>program
          export MOMENTUM_DIST_KERNELS=baseline
          exec ./program doctor --output .
        fi
        exec "$0" doctor --output .
        """
      let outcome = try doctor(
        ["--hosts", "3"], ["bash", "-c", script, Self.program], in: folder)
      #expect(outcome.status == 1, "\(outcome.output)\(outcome.errors)")
      for text in [
        "WRONG  program         the hosts run different programs: ",
        "WRONG  shared folder   node2 does not see what node1 writes to the folder for runs",
        "note   instructions    node2: baseline kernels",
      ] {
        #expect(outcome.output.contains(text), "\(text)\n\(outcome.output)")
      }
      // The probe is removed.
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.contains("doctor") }
          == [])
    }
  }
}

/// `doctor --hostfile`, on this machine alone.
@Suite(.serialized) struct DoctorHostFileTests {
  @Test func mpirunIsStartedWithIt() throws {
    try Places.withTemporaryFolder { folder in
      try "localhost slots=2\n".write(
        toFile: "\(folder)/hosts", atomically: true, encoding: .utf8)
      let outcome = try Program.run(["doctor", "--hostfile", "hosts"], in: folder, deadline: 60)
      #expect(outcome.output.contains("ok     HDF5 "), "\(outcome.output)\(outcome.errors)")
      // With an mpirun that prints its arguments.
      let told = try Program.shell(
        """
        mkdir bin && printf '#!/bin/sh\\necho "$@"\\n' >bin/mpirun && chmod +x bin/mpirun
        PATH=$PWD/bin:$PATH "$PROGRAM" doctor --hostfile hosts --output out --json
        """, in: folder)
      #expect(
        told.output.hasPrefix("--hostfile hosts --map-by ppr:1:node --bind-to none /")
          && told.output.hasSuffix("/momentum-dist doctor --output out --json\n"),
        "\(told.output)\(told.errors)")
    }
  }

  @Test func aMissingHostFileIsNamed() throws {
    try Places.withTemporaryFolder { folder in
      let outcome = try Program.run(["doctor", "--hostfile", "none"], in: folder)
      #expect(outcome.status == 65)
      #expect(
        outcome.errors
          == "momentum-dist: none: cannot be read; name a host file, with a host on each line\n"
      )
      let twice = try Program.run(
        ["doctor", "--hostfile", "none"], ranks: 2, in: folder)
      #expect(twice.status == 64)
      #expect(twice.errors.contains("--hostfile starts mpirun itself"), "\(twice.errors)")
    }
  }
}
