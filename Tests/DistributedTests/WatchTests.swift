// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// `watch` on runs of the program itself.
@Suite(.serialized) struct WatchTests {
  @Test func aRunOfTwoRanks() throws {
    try Places.withTemporaryFolder { folder in
      let steps = ["--max-steps", "20"]
      #expect(try RankCountTests.train("run", ranks: 2, in: folder, steps).status == 0)
      let outcome = try Program.run(["watch", "run"], in: folder, deadline: 30)
      #expect(outcome.status == 0, "\(outcome.errors)")
      let lines = outcome.output.split(separator: "\n").map(String.init)
      try #require(lines.count == 6, "\(outcome.output)")
      #expect(lines[0] == "run  stopped by --max-steps at step 20")
      #expect(lines[1].hasPrefix("train       step 20  epoch 2  loss "))
      #expect(lines[1].contains(" sequences/s"))
      #expect(lines[2].hasPrefix("validation  step 11  epoch 1  loss "), "\(lines[2])")
      #expect(lines[3].hasPrefix("checkpoint  step 20, "))
      for rank in 0..<2 {
        #expect(lines[4 + rank].hasPrefix("rank \(rank)      step 20  data "), "\(lines)")
        #expect(lines[4 + rank].contains("  on \(DeadlineTests.host)"), "\(lines)")
      }
      #expect(!outcome.output.contains("\u{1B}"))
    }
  }

  /// In a terminal it is redrawn until the run ends. Another process ends the run.
  @Test func itEndsWithTheRun() throws {
    try Places.withTemporaryFolder { folder in
      let script =
        "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"
      let outcome = try Program.bash(
        """
        "$PROGRAM" train --output run "$@" 2>log & run=$!
        until grep -q 'step 20:' run/logs/rank-00000.log 2>/dev/null; do sleep 0.1; done
        (sleep 1; kill -TERM $run) &
        python3 -c '\(script)' "$PROGRAM" watch run --every 0.2 </dev/null >screen
        echo "watch $?"; wait $run
        """, RankCountTests.arguments + ["--set", "epochs=100000"], in: folder, deadline: 60)
      #expect(outcome.output.contains("watch 0"), "\(outcome.output) \(outcome.errors)")
      let screen = try String(contentsOfFile: "\(folder)/screen", encoding: .utf8)
      #expect(screen.contains("last line of a rank 0 s ago"), "\(screen)")
      #expect(screen.contains("stopped by a signal at step "), "\(screen)")
      #expect(screen.contains("\u{1B}[5A"), "drawn over")
    }
  }

  @Test func whatIsNoRunIsRefused() throws {
    try Places.withTemporaryFolder { folder in
      let outcome = try Program.run(["watch", "nothing"], in: folder)
      #expect(outcome.status == 65)
      #expect(outcome.message.contains("nothing: holds no config.yaml, no metrics.jsonl"))
    }
  }
}
