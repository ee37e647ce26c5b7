// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// The figures of `bench scaling` are consistent.
@Suite(.serialized) struct ScalingTests {
  private static let sizes = [
    "bench", "scaling", "--hidden", "5", "--time", "6", "--batch", "16", "--repeats", "3", "--json",
  ]

  private static func lines(_ outcome: Program.Outcome) throws -> [[String: Any]] {
    try outcome.output.split(separator: "\n").map { line in
      try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    }
  }

  @Test func partsAddUpAndPredictionsStandBesideMeasurements() throws {
    try Places.withTemporaryFolder { folder in
      let outcome = try Program.run(
        Self.sizes + ["--model", "--up-to", "16"], ranks: 3, in: folder)
      #expect(outcome.status == 0, "\(outcome.errors)")
      let lines = try Self.lines(outcome)
      func numbers(_ kind: String, _ scaling: String, _ key: String) -> [Double] {
        lines.filter { $0["kind"] as? String == kind && $0["scaling"] as? String == scaling }
          .compactMap { $0[key] as? Double }
      }
      let parts = ["compute", "late", "reduction", "optimizer", "other"].map { $0 + "_seconds" }
      for scaling in ["strong", "weak"] {
        #expect(numbers("measured", scaling, "ranks") == [1, 2, 3])
        let steps = numbers("measured", scaling, "seconds_per_step")
        for (index, step) in steps.enumerated() {
          let sum = parts.reduce(0) { $0 + numbers("measured", scaling, $1)[index] }
          #expect(abs(sum - step) < 1e-9)
        }
        let growth = scaling == "weak" ? [1.0, 2, 3] : [1.0, 1, 1]
        let speedups = numbers("measured", scaling, "speedup")
        for index in 0..<3 {
          #expect(abs(speedups[index] - growth[index] * steps[0] / steps[index]) < 1e-9)
        }
        // Strong scaling ends at the shards of the batch.
        let predicted = scaling == "weak" ? [1.0, 2, 4, 8, 16] : [1.0, 2, 4, 8]
        #expect(numbers("predicted", scaling, "ranks") == predicted)
        #expect(numbers("predicted", scaling, "predicted_seconds_per_step")[0] == steps[0])
      }
      let models = lines.filter { $0["kind"] as? String == "model" }
      #expect(models.count == 1 && models[0]["ranks_per_host"] as? Int == 2)
    }
  }

  @Test func whatCannotBeIsRefused() throws {
    try Places.withTemporaryFolder { folder in
      let many = try Program.run(Self.sizes + ["--ranks", "4"], ranks: 2, in: folder)
      #expect(many.status == 64 && many.message.contains("4 is not a number of ranks from 1 to 2"))
      let few = try Program.run(Self.sizes + ["--shards", "1"], ranks: 2, in: folder)
      #expect(few.status == 78 && few.message.contains("raise --shards"), "\(few.errors)")
      let odd = try Program.run(
        Self.sizes + ["--shards", "6", "--model"], ranks: 2, in: folder)
      #expect(odd.status == 64 && odd.errors.contains("power of two"), "\(odd.errors)")
    }
  }
}
