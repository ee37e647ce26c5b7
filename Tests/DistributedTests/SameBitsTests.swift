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

  @Test func aShapeThatDiffersIsMarked() throws {
    try Places.withTemporaryFolder { folder in
      let outcome = try run(different: 4, in: folder)
      #expect(outcome.status == 70, "\(outcome.errors)")
      let marked = outcome.output.split(separator: "\n").filter { $0.hasSuffix("  DIFFERS") }
      #expect(marked.count == 1 && marked.first?.hasPrefix("4 ranks ") == true, "\(marked)")
      #expect(outcome.output.contains("of which 1 differ from the first"), "\(outcome.output)")
    }
  }

  @Test(arguments: [["--steps"], ["--steps", "x"], ["--nothing"], ["--set"]])
  func optionsAreChecked(options: [String]) throws {
    try Places.withTemporaryFolder { folder in
      let outcome = try run(different: nil, options, in: folder)
      #expect(outcome.status == 64 && outcome.errors.hasPrefix("same-bits: "), "\(outcome.errors)")
    }
  }
}
