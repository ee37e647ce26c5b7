// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// Language models at several rank counts: columns with carried state, masks, random chunks.
@Suite(.serialized) struct LanguageModelTests {
  static let settings = [
    "dataset.task=language_model", "dataset.file=text.h5", "batch_size=7", "shards=5",
    "model.cell=adam_lstm", "model.mu=0.3", "model.layers=2", "model.hidden_size=6",
    "language_model.embedding_size=5", "language_model.chunk_length=12",
    "language_model.evaluation_columns=3", "optimizer.name=sgd", "optimizer.learning_rate=1",
    "optimizer.clip_norm=0.25", "optimizer.averaging_window=1", "epochs=6", "log.every_steps=5",
  ].flatMap { ["--set", $0] }

  static func prepare(in folder: String) throws {
    // Words in a fixed pseudo-random order. Most words determine the next one.
    var (text, number) = ("", 1)
    for word in 0..<1500 {
      number = (number * 5 + (word % 7 == 0 ? 3 : 1)) % 31
      text += "w\(number)" + (word % 11 == 10 ? "\n" : " ")
    }
    try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/text.txt"))
    let outcome = try Program.run(
      ["prepare", "text", "--from", "text.txt", "--to", "text.h5"], in: folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
  }

  @Test func theBitsAreTheSameAtAnyRankCountAndAfterAResumeWithinAnEpoch() throws {
    try Places.withTemporaryFolder { folder in
      try Self.prepare(in: folder)
      func train(_ run: String, ranks: Int?, _ more: [String] = []) throws -> Program.Outcome {
        try Program.run(
          ["train", "--output", run] + Self.settings + more, ranks: ranks, in: folder)
      }
      let alone = try train("alone", ranks: nil)
      #expect(alone.status == 0, "\(alone.errors)")
      // NT-ASGD has started, so the averages must agree too.
      #expect(alone.errors.contains("averaging starts"), "\(alone.errors)")
      // The averages that the run saved at the end of its last epoch are evaluated.
      let evaluated = try Program.run(
        ["evaluate", "alone", "--split", "validation", "--checkpoint", "latest", "--json"],
        in: folder)
      let last = try RankCountTests.metrics("alone", in: folder).last ?? ""
      let loss = try #require(last.firstRange(of: /"loss": [0-9.]+/)).lowerBound
      #expect(
        evaluated.output.contains(last[loss...].prefix { $0 != "," }), "\(evaluated.output)")
      let expected = try RankCountTests.digest("alone", in: folder)
      let metrics = try RankCountTests.metrics("alone", in: folder)
      #expect(metrics.last?.contains("\"perplexity\"") == true)
      for ranks in [2, 3] {
        let outcome = try train("r\(ranks)", ranks: ranks)
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(try RankCountTests.digest("r\(ranks)", in: folder) == expected, "\(ranks) ranks")
        #expect(try RankCountTests.metrics("r\(ranks)", in: folder) == metrics, "\(ranks) ranks")
      }
      let threaded = try train("threads", ranks: 2, ["--threads", "2"])
      #expect(threaded.status == 0, "\(threaded.errors)")
      #expect(try RankCountTests.digest("threads", in: folder) == expected, "2 ranks x 2 threads")
      #expect(try RankCountTests.metrics("threads", in: folder) == metrics, "2 ranks x 2 threads")
      #expect(try train("resumed", ranks: 3, ["--max-steps", "7"]).status == 0)
      let resumed = try Program.run(
        ["train", "--resume", "resumed", "--set", "epochs=6"],
        ranks: 2, in: folder)
      #expect(resumed.status == 0, "\(resumed.errors)")
      #expect(try RankCountTests.digest("resumed", in: folder) == expected)
      #expect(try RankCountTests.metrics("resumed", in: folder) == metrics)
    }
  }

  /// The checkpoint before a step that fails has the state of the columns from before it.
  @Test func whatIsKeptOfADivergedRunGoesOn() throws {
    try Places.withTemporaryFolder { folder in
      try Self.prepare(in: folder)
      let settings = Self.settings + ["--max-steps", "8"]
      let whole = try Program.run(["train", "--output", "whole"] + settings, in: folder)
      #expect(whole.status == 0, "\(whole.errors)")
      let diverged = try Program.run(
        ["train", "--output", "run"] + settings, ranks: 2, in: folder,
        environment: ["MOMENTUM_DIST_SPOIL_GRADIENT": "2:6"])
      #expect(diverged.status == 70 && diverged.message.contains("step 6"), "\(diverged.errors)")
      let resumed = try Program.run(
        ["train", "--output", "again", "--resume", "run/diverged"] + settings, ranks: 3, in: folder)
      #expect(resumed.errors.contains("step-00000005: step 5"), "\(resumed.errors)")
      #expect(
        try RankCountTests.digest("again", in: folder) == RankCountTests.digest("whole", in: folder)
      )
    }
  }

  /// The windows of norms are carried from chunk to chunk if the configuration says so, and then a
  /// checkpoint has them. Otherwise a chunk starts with empty windows.
  @Test func carriedWindowsGoOnAfterAResume() throws {
    try Places.withTemporaryFolder { folder in
      try Self.prepare(in: folder)
      func digest(_ run: String, carry: Bool, _ ranks: Int?, _ more: [String]) throws -> String {
        let norms = ["model.normalization=assorted_time", "model.carry_window=\(carry)"]
        let outcome = try Program.run(
          ["train", "--output", run] + Self.settings + norms.flatMap { ["--set", $0] } + more,
          ranks: ranks, in: folder)
        #expect(outcome.status == 0, "\(outcome.errors)")
        return try RankCountTests.digest(run, in: folder)
      }
      for carry in [true, false] {
        let whole = try digest("whole-\(carry)", carry: carry, nil, ["--max-steps", "9"])
        let run = "resumed-\(carry)"
        #expect(try digest(run, carry: carry, 3, ["--max-steps", "4"]) != whole)
        #expect(try digest(run, carry: carry, 2, ["--max-steps", "9", "--resume"]) == whole)
      }
      #expect(
        try RankCountTests.digest("whole-true", in: folder)
          != RankCountTests.digest("whole-false", in: folder))
    }
  }

  @Test func textIsGeneratedFromASeed() throws {
    try Places.withTemporaryFolder { folder in
      try Self.prepare(in: folder)
      let trained = try Program.run(
        ["train", "--output", "run", "--max-steps", "3"] + Self.settings, in: folder)
      #expect(trained.status == 0, "\(trained.errors)")
      func generate(_ more: [String]) throws -> Program.Outcome {
        try Program.run(["generate", "run", "--length", "12", "--prompt"] + more, in: folder)
      }
      let first = try generate(["w8 w10", "--top-k", "4"])
      #expect(first.status == 0 && first.output.hasPrefix("w8 w10"), "\(first.errors)")
      #expect(try generate(["w8 w10", "--top-k", "4"]).output == first.output)
      #expect(try generate(["w8 w10", "--top-k", "4", "--seed", "2"]).output != first.output)
      // The run has its own vocabulary. A checkpoint without the run's folder uses that of the
      // data.
      let files = FileManager.default
      try files.moveItem(atPath: "\(folder)/text.h5", toPath: "\(folder)/moved.h5")
      #expect(try generate(["w8 w10", "--top-k", "4"]).output == first.output)
      try files.removeItem(atPath: "\(folder)/run/vocabulary.h5")
      let lost = try generate(["w8 w10", "--top-k", "4"])
      #expect(lost.status == 65 && lost.message.contains("text.h5"), "\(lost.errors)")
      let given = try generate(["w8 w10", "--top-k", "4", "--set", "dataset.file=moved.h5"])
      #expect(given.output == first.output)
      let wrong = try generate(["nobody", "--set", "dataset.file=moved.h5"])
      #expect(wrong.status == 64 && wrong.message.contains("\"nobody\""), "\(wrong.errors)")
    }
  }

  @Test func prepareNamesWhatIsWrong() throws {
    try Places.withTemporaryFolder { folder in
      let outcome = try Program.run(
        ["prepare", "text", "--from", "none", "--to", "out.h5"], in: folder)
      #expect(outcome.status == 65 && outcome.message.contains("none: does not exist"))
      #expect(!FileManager.default.fileExists(atPath: "\(folder)/out.h5"))
    }
  }

  /// Two calls continue a text like one call. The steps of the Nesterov drives count through the
  /// prompt and the generated text, and the windows of norms continue.
  @Test(arguments: ["nag_lstm", "srlstm", "momentum_lstm", "atn_lstm"])
  func aTextInPiecesIsTheTextInOne(cell: String) throws {
    try Places.withTemporaryFolder { folder in
      try Self.prepare(in: folder)
      let trained = try Program.run(
        [
          "train", "--output", "run", "--max-steps", "40", "--set", "model.cell=\(cell)",
          "--set", "dataset.task=language_model", "--set", "dataset.file=text.h5", "--set",
          "model.hidden_size=16", "--set", "language_model.embedding_size=16", "--set",
          "batch_size=7", "--set", "shards=1", "--set",
          "optimizer.learning_rate=0.05", "--set", "language_model.evaluation_columns=3",
          // Constants with which the text depends on the carried state.
          "--set", cell == "atn_lstm" ? "model.window=4" : "model.epsilon=3",
        ], in: folder)
      #expect(trained.status == 0, "\(trained.errors)")
      func text(_ prompt: String, _ length: Int) throws -> [Substring] {
        let outcome = try Program.run(
          ["generate", "run", "--prompt", prompt, "--length", "\(length)", "--temperature", "0"],
          in: folder)
        #expect(outcome.status == 0, "\(outcome.errors)")
        return outcome.output.split(whereSeparator: \.isWhitespace)
      }
      let whole = try text("w1 w6 w0", 24)
      for words in [4, 9, 15] {
        let prompt = whole.prefix(words).joined(separator: " ")
        // The end of a line is a token too, and is not among the words that are printed.
        let again = try text(prompt, 27 - words)
        #expect(again.prefix(whole.count) == whole.prefix(again.count), "from \(words) words")
      }
    }
  }
}
