// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// Commands that read a run while it saves every step and keeps one checkpoint.
@Suite(.serialized) struct ReadWhileTrainingTests {
  @Test func everyReadSucceeds() throws {
    try Places.withTemporaryFolder { folder in
      let train =
        ["train", "--output", "run"] + RankCountTests.arguments + [
          "--set", "epochs=100000", "--set", "checkpoint.every_steps=1",
          "--set", "checkpoint.keep_last=1",
        ]
      let stop = "\(folder)/stop"
      // It ends by a signal when the reads are done.
      let outcome = try Program.bash(
        """
        $PROGRAM "$@" 2>log & run=$!
        until [ -e stop ] || ! kill -0 $run; do sleep 0.1; done
        kill -TERM $run; wait $run
        """, train, in: folder, deadline: 900
      ) {
        let latest = "\(folder)/run/checkpoints/latest/manifest.json"
        try #require(Waiting.until { FileManager.default.fileExists(atPath: latest) })
        for index in 0..<50 {
          let ranks = index % 10 == 9 ? 2 : nil
          for arguments in [
            ["inspect", "run"] + (index % 3 == 0 ? ["--verify"] : []),
            ["evaluate", "run", "--checkpoint", index % 2 == 0 ? "best" : "latest"],
          ] {
            let read = try Program.run(
              arguments, ranks: arguments[0] == "evaluate" ? ranks : nil, in: folder)
            #expect(read.status == 0, "\(arguments): \(read.errors)")
            #expect(read.ownErrors.isEmpty, "\(arguments): \(read.errors)")
          }
        }
        _ = FileManager.default.createFile(atPath: stop, contents: nil)
      }
      #expect(outcome.status == 75, "\(outcome.errors)")
      #expect(try Program.run(["inspect", "run", "--verify"], in: folder).status == 0)
    }
  }

  /// The last line of metrics.jsonl is half written for a moment; any other must be a record.
  @Test func aHalfWrittenRecordIsNoDamage() throws {
    try Places.withTemporaryFolder { folder in
      #expect(
        try RankCountTests.train("run", ranks: nil, in: folder, ["--max-steps", "9"]).status == 0)
      let metrics = try #require(FileHandle(forWritingAtPath: "\(folder)/run/metrics.jsonl"))
      try metrics.seekToEnd()
      try metrics.write(contentsOf: Data(#"{"step": 10, "spl"#.utf8))
      #expect(try Program.run(["inspect", "run", "--verify"], in: folder).status == 0)
      try metrics.write(contentsOf: Data("\n".utf8))
      let damaged = try Program.run(["inspect", "run", "--verify"], in: folder)
      #expect(damaged.status == 65 && damaged.message.contains("is not JSON"), "\(damaged.errors)")
    }
  }

  /// A checkpoint that is removed between its manifest and its shards is read to its end.
  @Test func aCheckpointThatIsRemovedMeanwhileIsHeld() throws {
    try Places.withTemporaryFolder { folder in
      #expect(
        try RankCountTests.train("run", ranks: 2, in: folder, ["--max-steps", "3"]).status == 0)
      let digest = try RankCountTests.digest("run", in: folder)
      let path = "\(folder)/run/checkpoints/step-00000003"
      let held = try HeldCheckpoint.digest(path) {
        try FileManager.default.removeItem(atPath: path)
      }
      #expect(held == digest)
    }
  }
}
