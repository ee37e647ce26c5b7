// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// What runs write for TensorBoard. Names are stored as they are: they are counted in the bytes.
@Suite(.serialized) struct TensorBoardRunTests {
  private static let settings = [
    "--set", "model.hidden_size=4", "--set", "batch_size=20", "--set", "dataset.steps=6",
    "--set", "dataset.train_count=100", "--set", "dataset.validation_count=20",
    "--set", "dataset.test_count=10",
  ]

  /// The bytes of a run's event files, a character each.
  private func events(_ run: String, in folder: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: "\(folder)/\(run)").sorted()
      .filter { $0.hasPrefix("events.") }
      .map { name in
        let data = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(run)/\(name)"))
        return String(data: data, encoding: .isoLatin1) ?? ""
      }
  }

  private func count(_ name: String, _ text: String) -> Int {
    text.components(separatedBy: name).count - 1
  }

  /// Histograms at their interval, hyperparameters, the configuration, the end, and the test figures;
  /// parameters of the same bits as without histograms, which are off by default.
  @Test func aRunTellsTensorBoardAllOfIt() throws {
    try Places.withTemporaryFolder { folder in
      let common = ["--set", "epochs=2"] + Self.settings
      _ = try Program.succeed(
        ["train", "--output", "full", "--test", "--set", "log.histogram_steps=4"] + common,
        ranks: 2, in: folder)
      _ = try Program.succeed(["train", "--output", "plain"] + common, in: folder)
      let full = try events("full", in: folder)
      #expect(full.count == 2)
      // 8 steps: after the 4th and the 8th.
      #expect(count("weights/readout.bias", full[0]) == 2)
      #expect(count("gradients/rnn.weight_hh_l0", full[0]) == 2)
      #expect(count("_hparams_/session_end_info", full[0]) == 1)
      #expect(full[0].contains("optimizer.learning_rate") && full[0].contains("  hidden_size: 4"))
      #expect(full[1].contains("loss/test") && !full[1].contains("hparams"))
      let plain = try events("plain", in: folder)
      #expect(plain.count == 1 && count("_hparams_/session_start_info", plain[0]) == 1)
      #expect(!plain[0].contains("weights/") && !plain[0].contains("loss/test"))
      #expect(
        try RankCountTests.digest("full", in: folder)
          == RankCountTests.digest("plain", in: folder))
    }
  }

  /// A run that can be continued has not ended; one that diverged has.
  @Test func aRunHasOneEnd() throws {
    try Places.withTemporaryFolder { folder in
      _ = try Program.succeed(
        ["train", "--output", "a", "--max-time", "0.2s", "--set", "epochs=100000"] + Self.settings,
        in: folder)
      #expect(!(try events("a", in: folder)[0]).contains("session_end_info"))
      let diverged = try Program.run(
        ["train", "--output", "b", "--set", "optimizer.name=sgd"]
          + ["--set", "optimizer.learning_rate=1e30"] + Self.settings, in: folder)
      #expect(diverged.status == 70, "\(diverged.errors)")
      #expect(try events("b", in: folder)[0].contains("session_end_info"))
    }
  }
}
