// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// Memory does not grow with the number of steps.
@Suite(.serialized) struct LongRunTests {
  /// Every combination of overlap, threads, sparse rows and streaming, 10,000 steps each of a
  /// language model whose embedding is not tied: it has all four.
  @Test(arguments: 0..<16) func tenThousandStepsKeepNothing(combination: Int) throws {
    func isOn(_ bit: Int) -> Bool { combination >> bit & 1 == 1 }
    try Places.withTemporaryFolder { folder in
      var text = ""
      for line in 0..<3000 { text += "a\(line % 7) b\(line % 5) c d\(line % 3) e\n" }
      try text.write(toFile: "\(folder)/t.txt", atomically: true, encoding: .utf8)
      let prepared = try Program.run(
        ["prepare", "text", "--from", "t.txt", "--to", "t.h5"], in: folder)
      #expect(prepared.status == 0, "\(prepared.errors)")
      let outcome = try Program.run(
        [
          "train", "--output", "run", "--max-steps", "10000", "--threads", isOn(1) ? "2" : "1",
        ]
          + [
            "dataset.task=language_model", "dataset.file=t.h5", "model.cell=lstm",
            "model.hidden_size=2", "language_model.embedding_size=2",
            "language_model.chunk_length=2", "language_model.tied=false", "batch_size=2",
            "shards=2", "epochs=100000", "checkpoint.every_steps=1000000", "log.every_steps=1000",
            "replica_check_steps=0", "overlap=\(isOn(0) ? "on" : "off")",
            "sparse_rows=\(isOn(2) ? "on" : "off")", "dataset.memory=\(isOn(3) ? 0 : 1024)",
          ].flatMap { ["--set", $0] }, in: folder)
      #expect(outcome.status == 0, "\(outcome.errors)")
      let log = try String(contentsOfFile: "\(folder)/run/logs/rank-00000.log", encoding: .utf8)
      let memory = log.split(separator: "\n").compactMap { line in
        line.range(of: "memory ").flatMap { Double(line[$0.upperBound...].prefix { $0 != " " }) }
      }
      try #require(memory.count == 10, "\(log)")
      // The allocator settles in the first steps, and may take a page or two later. A list that
      // grows by 0.8 kB per step, an earlier fault, would be 6.4 MB.
      #expect(memory[9] - memory[1] < 4, "combination \(combination): MB at each tenth: \(memory)")
    }
  }
}
