// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// Decisions that follow from a run's validation losses: its end, the tested checkpoint, several
/// seeds.
@Suite(.serialized) struct EarlyStoppingTests {
  /// An interrupted run that stops early ends at the same step and is tested at its best
  /// checkpoint. Several seeds in one command give the same runs as one by one.
  @Test func earlyStoppingBestCheckpointsAndSeeds() throws {
    try Places.withTemporaryFolder { folder in
      // A rate at which validation soon stops improving.
      let settings = [
        "--set", "epochs=60", "--set", "optimizer.learning_rate=0.05",
        "--set", "early_stopping.patience=2", "--set", "checkpoint.keep_last=1",
      ]
      let whole = try RankCountTests.train("whole", ranks: nil, in: folder, settings)
      #expect(whole.status == 0 && whole.errors.contains("stopped early"), "\(whole.errors)")
      let losses = try RankCountTests.metrics("whole", in: folder).filter {
        $0.contains("validation")
      }
      #expect(losses.count < 60)
      let expected = try RankCountTests.digest("whole", in: folder)
      #expect(
        try RankCountTests.train("parts", ranks: 2, in: folder, settings + ["--max-steps", "25"])
          .status == 0)
      let rest = try RankCountTests.train("parts", ranks: 3, in: folder, settings + ["--resume"])
      #expect(rest.errors.contains("stopped early"), "\(rest.errors)")
      #expect(try RankCountTests.digest("parts", in: folder) == expected)
      #expect(
        try RankCountTests.metrics("parts", in: folder)
          == RankCountTests.metrics("whole", in: folder))
      // A stopped run does not continue.
      let again = try RankCountTests.train("parts", ranks: 2, in: folder, settings + ["--resume"])
      #expect(again.status == 0 && again.errors.contains("stopped early"), "\(again.errors)")
      #expect(try RankCountTests.digest("parts", in: folder) == expected)

      // The best step, by the metrics, is two epochs before the end.
      let steps = losses.compactMap { line in
        line.components(separatedBy: ", ").first.flatMap { Int($0.dropFirst("{\"step\": ".count)) }
      }
      let best = steps[steps.count - 3]
      let figures = try (1...2).map { ranks in
        try Program.run(["evaluate", "whole", "--json"], ranks: ranks, in: folder).output
      }
      #expect(
        figures[0] == figures[1] && figures[0].contains("\"step\": \(best),"), "\(figures[0])")
      let kept = try String(contentsOfFile: "\(folder)/whole/evaluation-test.json", encoding: .utf8)
      #expect(kept == figures[0])
      let text = try Program.run(["evaluate", "whole"], in: folder).output
      #expect(text.contains("step \(best), best on validation"), "\(text)")
      let latest = try Program.run(
        ["evaluate", "whole", "--checkpoint", "latest"], in: folder
      ).output
      #expect(latest.contains("step \(steps.last!); 0.1667 is answering 1 always"), "\(latest)")

      let series = try RankCountTests.train(
        "series", ranks: 2, in: folder, settings + ["--seeds", "2"])
      #expect(series.status == 0, "\(series.errors)")
      #expect(series.output.contains("2 seeds  ") && series.output.contains(" ± "))
      #expect(try RankCountTests.digest("series/seed-1", in: folder) == expected)
      #expect(try RankCountTests.digest("series/seed-2", in: folder) != expected)
      let refused = try RankCountTests.train(
        "series", ranks: nil, in: folder, settings + ["--seeds", "2"])
      #expect(refused.status == 64, "\(refused.errors)")
      let more = try Program.run(
        ["train", "--resume", "series", "--seeds", "3"], ranks: nil, in: folder)
      #expect(more.status == 0 && more.output.contains("3 seeds"), "\(more.errors)")

      let report = try Program.run(
        ["report", "whole", "parts", "series", "--to", "page.html"], in: folder)
      #expect(report.output.contains("page.html: 5 runs"), "\(report.errors)")
      let page = try String(contentsOfFile: "\(folder)/page.html", encoding: .utf8)
      #expect(page.contains("3 seeds: ") && page.contains("</html>"))
      let none = try Program.run(["report", "nothing"], in: folder)
      #expect(none.status == 65, "\(none.errors)")
      #expect(none.message.contains("nothing: does not exist"), "\(none.errors)")
    }
  }
}
