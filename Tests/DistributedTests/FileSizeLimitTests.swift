// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// A limit on the size of files (`ulimit -f`) is an error of the disk like others, and kills no
/// process by a signal.
@Suite(.serialized) struct FileSizeLimitTests {
  /// - Parameter blocks: of 1024 bytes
  private static func run(
    _ arguments: [String], blocks: Int, ranks: Int? = nil, in folder: String
  ) throws -> Program.Outcome {
    let program = "\(Program.products)/momentum-dist"
    return try Program.bash(
      "ulimit -f \(blocks); exec \(launcher(ranks)) \(program) \"$@\"", arguments, in: folder)
  }

  private static func launcher(_ ranks: Int?) -> String {
    ranks.map { "mpirun --oversubscribe --bind-to none -np \($0)" } ?? ""
  }

  @Test(arguments: [nil, 2]) func endsWithOneLineAndKeepsTheLastCheckpoint(ranks: Int?) throws {
    try Places.withTemporaryFolder { folder in
      let train = [
        "train", "--output", "run", "--set", "model.hidden_size=1100", "--set", "dataset.steps=2",
        "--set", "batch_size=8", "--set", "dataset.train_count=64", "--set", "epochs=1",
        "--set", "dataset.validation_count=0", "--set", "checkpoint.every_steps=4",
      ]
      let before = try Program.run(train + ["--max-steps", "4"], ranks: ranks, in: folder)
      #expect(before.status == 0, "\(before.errors)")
      // The shards are larger. All other files are smaller, including Open MPI's.
      let outcome = try Self.run(train + ["--resume"], blocks: 16_000, ranks: ranks, in: folder)
      #expect(outcome.status == 74, "\(outcome.errors)")
      #expect(outcome.message.split(separator: "\n").count == 1, "\(outcome.errors)")
      #expect(outcome.message.contains("File too large"), "\(outcome.errors)")
      #expect(outcome.message.contains("run/checkpoints/step-00000008"), "\(outcome.errors)")
      #expect(try Program.run(["inspect", "run", "--verify"], in: folder).status == 0)
      let resumed = try Program.run(train + ["--resume"], ranks: ranks, in: folder)
      #expect(resumed.status == 0, "\(resumed.errors)")
      #expect(resumed.errors.contains("step-00000004: step 4"), "\(resumed.errors)")
    }
  }

  @Test func preparingAndPrintingSayItToo() throws {
    try Places.withTemporaryFolder { folder in
      let prepared = try Self.run(
        ["prepare", "adding", "--train", "9000", "--to", "a.h5"], blocks: 100, in: folder)
      #expect(prepared.status == 74, "\(prepared.errors)")
      #expect(prepared.message.contains("File too large"), "\(prepared.errors)")
      let left = try FileManager.default.contentsOfDirectory(atPath: folder)
      #expect(!left.contains { $0.hasPrefix("a.h5") }, "\(left)")
      let printed = try Self.run(["train", "--list-keys"], blocks: 1, in: folder)
      #expect(printed.status == 74, "\(printed.errors)")
      #expect(printed.message.contains("File too large"), "\(printed.errors)")
    }
  }

  @Test func helpThatCannotBePrintedIsNoSuccess() throws {
    try Places.withTemporaryFolder { folder in
      for option in ["--help", "--version", "train --help"] {
        let outcome = try Program.bash("$PROGRAM \(option) > /dev/full", in: folder)
        #expect(outcome.status == 74 && outcome.ownErrors.count == 1, "\(outcome.errors)")
      }
    }
  }

  /// A reader that exits early has all that it needs.
  @Test func aClosedStandardOutputIsNoError() throws {
    try Places.withTemporaryFolder { folder in
      let program = "\(Program.products)/momentum-dist"
      let outcome = try Program.bash(
        "set -o pipefail; for i in 1 2 3; do \(program) \"$@\" | head -1; done",
        ["train", "--list-keys"],
        in: folder)
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(outcome.output == "seed = 1\nseed = 1\nseed = 1\n" && outcome.errors.isEmpty)
    }
  }
}
