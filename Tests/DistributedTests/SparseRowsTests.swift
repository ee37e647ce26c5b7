// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// The gradient of an embedding has the same bits whether it is sent as the rows of a step's words
/// or whole.
@Suite(.serialized) struct SparseRowsTests {
  private static let settings =
    LanguageModelTests.settings + [
      "--set", "language_model.tied=false", "--set", "optimizer.averaging_window=0",
      "--set", "epochs=2",
    ]

  private static func train(
    _ run: String, ranks: Int?, in folder: String, _ more: [String], damaged: String = ""
  ) throws -> Program.Outcome {
    try Program.run(
      ["train", "--output", run] + settings + more, ranks: ranks, in: folder,
      environment: ["MOMENTUM_DIST_SPOIL_GRADIENT": damaged])
  }

  /// 400 words, of which a chunk of 7 columns holds 84 at most.
  private static func prepare(in folder: String) throws {
    var (text, number) = ("first ", 1)
    for word in 0..<1500 {
      number = (number * 5 + (word % 7 == 0 ? 3 : 1)) % 399
      text += "w\(number)" + (word % 11 == 10 ? "\n" : " ")
    }
    try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/text.txt"))
    let outcome = try Program.run(
      ["prepare", "text", "--from", "text.txt", "--to", "text.h5"], in: folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
  }

  /// The clipped norm is of the whole gradient, so every parameter would show a difference.
  @Test func rowsAndTheWholeGiveTheSameBits() throws {
    try Places.withTemporaryFolder { folder in
      try Self.prepare(in: folder)
      #expect(
        try Self.train("whole", ranks: nil, in: folder, ["--set", "sparse_rows=off"]).status == 0)
      let expected = try RankCountTests.digest("whole", in: folder)
      let metrics = try RankCountTests.metrics("whole", in: folder)
      for (ranks, rows, overlap, bytes) in [
        (1, "auto", "off", 1 << 20), (2, "on", "on", 100), (2, "auto", "off", 1 << 20),
        (3, "on", "off", 1 << 40), (3, "off", "on", 1000), (4, "auto", "on", 260),
        (5, "auto", "on", 1 << 20),
      ] {
        let run = "r\(ranks)-\(rows)-\(overlap)-\(bytes)"
        let outcome = try Self.train(
          run, ranks: ranks, in: folder,
          [
            "--set", "sparse_rows=\(rows)", "--set", "overlap=\(overlap)",
            "--set", "bucket_bytes=\(bytes)",
          ])
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(try RankCountTests.digest(run, in: folder) == expected, "\(run)")
        #expect(try RankCountTests.metrics(run, in: folder) == metrics, "\(run)")
      }
      // A resume may change it, without a note.
      #expect(try Self.train("resumed", ranks: 3, in: folder, ["--max-steps", "7"]).status == 0)
      let resumed = try Self.train(
        "resumed", ranks: 2, in: folder, ["--resume", "--set", "sparse_rows=off"])
      #expect(resumed.status == 0 && !resumed.errors.contains("note:"), "\(resumed.errors)")
      #expect(try RankCountTests.digest("resumed", in: folder) == expected)
    }
  }

  /// The fourth chunk does not have the first word. A NaN in its row spreads only if the whole
  /// gradient is sent, as it is if the decoder shares the weight.
  @Test(
    arguments: [("auto", false, 0), ("off", false, 70), ("auto", true, 70)]
      as [(String, Bool, Int32)])
  func rowsOfOtherWordsAreNotSent(rows: String, isTied: Bool, status: Int32) throws {
    try Places.withTemporaryFolder { folder in
      try Self.prepare(in: folder)
      // Shard 4 is not the first of the last rank, whose buffer receives the sum.
      let outcome = try Self.train(
        "run", ranks: 2, in: folder,
        [
          "--set", "sparse_rows=\(rows)", "--set", "language_model.tied=\(isTied)",
          "--max-steps", "5",
        ], damaged: "4:4")
      #expect(outcome.status == status, "\(outcome.errors)")
      // And not because replicas differ.
      #expect(
        (status == 70) == outcome.message.hasPrefix("momentum-dist: step 4: the loss is "),
        "\(outcome.errors)")
    }
  }
}
