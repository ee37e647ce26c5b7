// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

/// Files with times, and parts at different rates, from `prepare` to `evaluate`.
@Suite(.serialized) struct TimesRunTests {
  /// The text after "parameters_sha256" in a report on a run.
  private func sum(_ item: DataIdentityRunTests.Case, _ run: String) throws -> Substring {
    let report = try item.run("inspect \(run)").output
    return try #require(report.split(separator: "\n").first { $0.contains("parameters_sha256") })
  }

  /// A cell that does not read times: one line says so, and the numbers are those without times.
  @Test func aRunThatDoesNotReadTimesSaysSoOnce() throws {
    try DataIdentityRunTests.withCase { item in
      let (train, test) = (item.lines("ab", seed: 1), item.lines("ab", seed: 2))
      try item.csv(train, test, to: "plain.h5", "--train-every 2")
      try item.csv(train, test, to: "timed.h5", "--train-every 2 --times")
      #expect(
        try item.run("inspect timed.h5 --verify").output.contains(
          "times: train 0.0 to 4.0, test 0.0 to 4.0"))
      #expect(try !item.run("inspect plain.h5 --verify").output.contains("times"))
      for (name, noted) in [("plain", 0), ("timed", 1)] {
        let run = try item.run(
          "train \(DataIdentityRunTests.small) --set dataset.task=classification --set epochs=1",
          "--set dataset.file=\(name).h5 --output \(name)", ranks: 2)
        let lines = run.errors.split(separator: "\n").filter { $0.contains("times of its steps") }
        #expect(lines.count == noted, "\(run.errors)")
        #expect(
          lines.allSatisfy {
            $0.contains("note: timed.h5: has times of its steps, which the cell")
              && $0.contains(" does not read")
          }, "\(run.errors)")
        let measured = try item.run("evaluate \(name)")
        #expect(measured.errors.contains("times of its steps") == (noted == 1))
      }
      #expect(try sum(item, "plain") == sum(item, "timed"))
      let off = try item.run(
        "train \(DataIdentityRunTests.small) --set dataset.task=classification --set epochs=1",
        "--set dataset.file=timed.h5 --set dataset.read_times=off --output off")
      #expect(!off.errors.contains("times of its steps"), "\(off.errors)")
    }
  }

  /// Trained at half the rate, and measured at half, at the full rate and at a quarter. All inputs
  /// are normalised by the same training part.
  @Test func aRunIsMeasuredAtOtherRates() throws {
    try DataIdentityRunTests.withCase { item in
      let (train, test) = (item.lines("ab", seed: 1), item.lines("ab", seed: 2))
      for every in [1, 2, 4] {
        try item.csv(
          train, test, to: "\(every).h5", "--times --train-every 2 --test-every \(every)")
      }
      try item.run(
        "train \(DataIdentityRunTests.small) --set dataset.task=classification --set epochs=1",
        "--set dataset.file=2.h5 --output run")
      for every in [1, 2, 4] {
        let outcome = try item.run("evaluate run --json --file \(every).h5", ranks: 2)
        #expect(try item.figures(outcome).count == 60)
      }
      for (option, problem) in [
        ("--test-every 0", "--test-every is 0"), ("--drop-share 1", "--drop-share is 1.0"),
        ("--seed 3", "--seed needs --drop-share"),
      ] {
        let outcome = try Program.run(
          ["prepare", "csv", "--from", "train.csv", "test.csv", "--to", "x.h5"]
            + option.split(separator: " ").map(String.init), in: item.folder)
        #expect(outcome.status == 64 && outcome.errors.contains(problem), "\(outcome.errors)")
      }
    }
  }
}
