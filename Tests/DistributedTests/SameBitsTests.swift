// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// launch/same-bits, with a fake program and a fake mpirun. It makes the real runs itself.
@Suite(.serialized) struct SameBitsTests {
  /// - Parameter different: the number of the run that ends with other bits
  private func run(
    different: Int?, _ options: [String] = [], in folder: String
  ) throws -> Program.Outcome {
    try Program.bash(
      """
      mkdir -p bin
      cat >bin/momentum-dist <<'END'
      #!/bin/bash
      echo "momentum-dist $*" >>"$CALLED"
      digit=a; [ "$2" != "$DIFFERENT" ] || digit=b
      [ "$1" != inspect ] || printf '{"step": 2, "parameters_sha256": "%s"}\\n' \
        "$digit$(printf '%063d' 7)"
      END
      cat >bin/mpirun <<'END'
      #!/bin/bash
      echo "mpirun $*" >>"$CALLED"
      END
      chmod +x bin/*
      export CALLED=$PWD/called PATH=$PWD/bin:$PATH
      exec '\(Places.package)/launch/same-bits' --program bin/momentum-dist "$@"
      """, options, in: folder, environment: ["DIFFERENT": different.map { "\($0)" } ?? ""],
      deadline: 120)
  }

  @Test func oneDigestIsGood() throws {
    try Places.withTemporaryFolder { folder in
      let outcome = try run(different: nil, ["--steps", "3", "--set", "seed=9"], in: folder)
      #expect(outcome.status == 0, "\(outcome.errors)")
      let digest = "a" + String(repeating: "0", count: 62) + "7"
      #expect(outcome.output.contains(" shapes, one SHA-256: \(digest)"), "\(outcome.output)")
      #expect(!outcome.output.contains("DIFFERS"))
      let called = try String(contentsOfFile: "\(folder)/called", encoding: .utf8)
      for ranks in 1...8 {
        #expect(called.contains("mpirun --oversubscribe --bind-to none -np \(ranks) "), "\(ranks)")
      }
      for part in ["--threads 2", "overlap=on", "overlap=off", "--compare-reductions"] {
        #expect(called.contains(part), "\(part)")
      }
      let start = try #require(called.split(separator: "\n").first { $0.contains(" train ") })
      #expect(start.contains("--max-steps 3 ") && start.contains("--set seed=9"), "\(start)")
    }
  }

  /// Another Open MPI is used by its library and its mpirun, for seven shapes more.
  @Test func anotherOpenMPIIsCompared() throws {
    try Places.withTemporaryFolder { folder in
      let script = """
        mkdir -p five/bin five/lib
        touch five/lib/libmpi.so.40
        cat >five/bin/mpirun <<'END'
        #!/bin/bash
        [ "$1" != --version ] || { echo 'mpirun (Open MPI) 5.0.7'; exit; }
        echo "five $LD_LIBRARY_PATH mpirun $*" >>"$CALLED"
        END
        chmod +x five/bin/mpirun
        """
      #expect(try Program.bash(script, in: folder).status == 0)
      let outcome = try run(different: nil, ["--mpi", "five"], in: folder)
      #expect(outcome.status == 0, "\(outcome.errors)")
      let lines = outcome.output.split(separator: "\n").filter { $0.contains(", Open MPI 5.0.7 ") }
      #expect(lines.count == (getuid() == 0 ? 7 : 6), "\(outcome.output)")
      let called = try String(contentsOfFile: "\(folder)/called", encoding: .utf8)
      for ranks in [1, 2, 3, 8] {
        #expect(
          called.contains("/five/lib mpirun --oversubscribe --bind-to none -np \(ranks) "),
          "\(called)")
      }
      let missing = try run(different: nil, ["--mpi", "none"], in: folder)
      #expect(missing.status == 66, "\(missing.errors)")
      #expect(
        missing.errors == "same-bits: --mpi none: there is no bin/mpirun in this folder\n")
    }
  }

  @Test func aShapeThatDiffersIsMarked() throws {
    try Places.withTemporaryFolder { folder in
      let outcome = try run(different: 4, in: folder)
      #expect(outcome.status == 70, "\(outcome.errors)")
      let marked = outcome.output.split(separator: "\n").filter { $0.hasSuffix("  DIFFERS") }
      #expect(marked.count == 1 && marked.first?.hasPrefix("4 ranks ") == true, "\(marked)")
      #expect(outcome.output.contains("of which 1 differ from the first"), "\(outcome.output)")
    }
  }

  @Test func theProgramIsFound() throws {
    try Places.withTemporaryFolder { folder in
      let missing = try Program.script("same-bits", ["--program", "none"], in: folder)
      #expect(missing.status == 66)
      #expect(missing.errors == "momentum-dist: none: no such program\n")
      let named = try Program.script(
        "find-program", ["\(Program.products)/../debug/momentum-dist"], in: folder)
      #expect(named.output.hasPrefix("/") && named.output.hasSuffix("/momentum-dist\n"))
      let onPath = try Program.script(
        "find-program", [], in: folder, environment: ["PATH": "\(Program.products):/usr/bin:/bin"])
      #expect(onPath.status == 0 && onPath.output.hasSuffix("/momentum-dist\n"))
    }
  }

  @Test(arguments: [["--steps"], ["--steps", "x"], ["--nothing"], ["--set"], ["--mpi"]])
  func optionsAreChecked(options: [String]) throws {
    try Places.withTemporaryFolder { folder in
      let outcome = try run(different: nil, options, in: folder)
      #expect(outcome.status == 64 && outcome.errors.hasPrefix("same-bits: "), "\(outcome.errors)")
    }
  }
}
