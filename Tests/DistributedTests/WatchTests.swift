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
      #expect(screen.contains(/last line of a rank [0-9]+ s ago/), "\(screen)")
      #expect(screen.contains("stopped by a signal at step "), "\(screen)")
      #expect(screen.contains("\u{1B}[5A"), "drawn over")
    }
  }

  /// `--port` serves the report with the lines on top, loaded again while the run goes on, until
  /// Ctrl-C.
  @Test func thePageIsServedUntilCtrlC() throws {
    try Places.withTemporaryFolder { folder in
      let outcome = try Program.bash(
        """
        code() { curl -s -m 60 -o /dev/null -w '%{http_code}\\n' "$@"; }
        "$PROGRAM" train --output run "$@" 2>log & run=$!
        until grep -q 'step 20:' run/logs/rank-00000.log 2>/dev/null; do sleep 0.1; done
        "$PROGRAM" watch run --port 0 --every 0.5 >line & watch=$!
        until grep -q http line; do sleep 0.1; done
        url=$(grep -o 'http://[^ ]*' line)
        curl -s -m 60 -D headers "$url" >live
        kill -TERM $run; wait $run
        sleep 1; curl -s -m 60 "$url" >ended
        code "$url/config.yaml"; code -X POST "$url"; code -H 'Host: evil.example' "$url"
        "$PROGRAM" watch run --port "${url##*:}"; echo "second $?"
        kill -INT $watch; wait $watch; echo "watch $?"
        code "$url"
        """, RankCountTests.arguments + ["--set", "epochs=100000"], in: folder)
      #expect(
        outcome.output == "404\n405\n403\nsecond 64\nwatch 0\n000\n",
        "\(outcome.output) \(outcome.errors)")
      #expect(outcome.message.contains(/port [0-9]+ is taken; choose another, or 0 for any/))
      func file(_ name: String) throws -> String {
        try String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8)
      }
      #expect(try file("line").contains(/^run: http:\/\/127\.0\.0\.1:[0-9]+ \(Ctrl-C ends it\)\n$/))
      #expect(try file("headers").contains("Content-Security-Policy: default-src 'none'"))
      let (live, ended) = (try file("live"), try file("ended"))
      #expect(live.contains("<meta http-equiv=\"refresh\" content=\"1\">"), "\(live)")
      #expect(live.contains("<pre class=\"live\">run  last line of a rank "), "\(live)")
      #expect(live.contains("loss by ") && live.contains("<svg"), "the report")
      #expect(ended.contains("<pre class=\"live\">run  stopped by a signal at step "), "\(ended)")
      #expect(!ended.contains("refresh"))
    }
  }

  /// A flood of more connections than the process may have open files ends only these connections.
  @Test func aFloodOfConnectionsPasses() throws {
    let flood = """
      import socket, sys, time
      held = []
      for _ in range(300):
        s = socket.socket(); s.settimeout(2)
        try: s.connect(("127.0.0.1", int(sys.argv[1]))); held.append(s)
        except OSError: pass
      time.sleep(1)
      """
    try Places.withTemporaryFolder { folder in
      let outcome = try Program.bash(
        """
        mkdir run; echo '{"event":"train","step":1,"epoch":1,"loss":1.0}' >run/metrics.jsonl
        (ulimit -n 64; exec "$PROGRAM" watch run --port 0 >line) & watch=$!
        until grep -q http line; do sleep 0.1; kill -0 $watch || exit; done
        url=$(grep -o 'http://[^ ]*' line); echo "${url##*:}" >port
        python3 -c "$1" "${url##*:}"
        for _ in 1 2 3 4 5 6 7 8 9 10; do
          code=$(curl -s -m 20 -o /dev/null -w '%{http_code}' "$url"); [ $code = 200 ] && break
          kill -0 $watch || break; sleep 1
        done
        echo $code; kill -INT $watch; wait $watch; echo "watch $?"
        """, [flood], in: folder)
      #expect(outcome.output == "200\nwatch 0\n", "\(outcome.output) \(outcome.errors)")
      let port = try String(contentsOfFile: "\(folder)/port", encoding: .utf8)
        .trimmingCharacters(in: .newlines)
      #expect(
        outcome.message.contains("port \(port): Too many open files; closed all connections"),
        "\(outcome.errors)")
    }
  }

  @Test func whatIsNoRunIsNotServed() throws {
    try Places.withTemporaryFolder { folder in
      for (arguments, status, message) in [
        (["nothing", "--port", "0"], 65, "nothing: does not exist; "),
        (["nothing", "--port", "65536"], 64, "--port is 65536; expected a number from 0 to 65535"),
        (["nothing", "--port", "80", "--once"], 64, "--once prints and ends, --port serves"),
      ] as [([String], Int32, String)] {
        let outcome = try Program.run(["watch"] + arguments, in: folder)
        #expect(outcome.status == status)
        #expect(outcome.errors.contains(message), "\(outcome.errors)")
      }
    }
  }

  @Test func whatIsNoRunIsRefused() throws {
    try Places.withTemporaryFolder { folder in
      let outcome = try Program.run(["watch", "nothing"], in: folder)
      #expect(outcome.status == 65)
      #expect(outcome.message.contains("nothing: does not exist; "))
      let empty = try Program.run(["watch", "."], in: folder)
      #expect(empty.status == 65)
      #expect(empty.message.contains(".: holds no config.yaml, no metrics.jsonl and no logs"))
    }
  }
}
