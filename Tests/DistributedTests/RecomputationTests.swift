// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// `model.recompute_every` changes memory and time, never a number, and may change at any resume.
@Suite(.serialized) struct RecomputationTests {
  @Test(arguments: ["srlstm", "dtriv"]) func theBitsAreTheSameOnAndOff(cell: String) throws {
    try Places.withTemporaryFolder { folder in
      let base = [
        "--set", "model.cell=\(cell)", "--set", "model.layers=2", "--set",
        "model.bidirectional=true",
      ]
      func train(_ run: String, every k: Int, to step: Int, _ more: [String] = []) throws {
        let outcome = try RankCountTests.train(
          run, ranks: 2, in: folder,
          base + ["--set", "model.recompute_every=\(k)", "--max-steps", "\(step)"] + more)
        #expect(outcome.status == 0, "\(outcome.errors)")
      }
      try train("off", every: 0, to: 20)
      let expected = try RankCountTests.digest("off", in: folder)
      try train("on", every: 3, to: 20)
      #expect(try RankCountTests.digest("on", in: folder) == expected)
      try train("both", every: 2, to: 9)
      try train("both", every: 0, to: 14, ["--resume"])
      try train("both", every: 1, to: 20, ["--resume"])
      #expect(try RankCountTests.digest("both", in: folder) == expected)
    }
  }

  @Test func languageModelsHaveItToo() throws {
    try Places.withTemporaryFolder { folder in
      try LanguageModelTests.prepare(in: folder)
      for (run, k) in [("off", 0), ("on", 5)] {
        let outcome = try Program.run(
          ["train", "--output", run, "--max-steps", "12"] + LanguageModelTests.settings
            + ["--set", "model.recompute_every=\(k)"], ranks: 2, in: folder)
        #expect(outcome.status == 0, "\(outcome.errors)")
      }
      #expect(
        try RankCountTests.digest("on", in: folder) == RankCountTests.digest("off", in: folder))
    }
  }

  @Test func whatCannotBeIsRefused() throws {
    try Places.withTemporaryFolder { folder in
      let outcome = try RankCountTests.train(
        "run", ranks: nil, in: folder, ["--set", "model.recompute_every=-1"])
      #expect(outcome.status == 78 && outcome.message.contains("model.recompute_every"))
    }
  }
}
