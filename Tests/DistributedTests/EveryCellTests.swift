import Foundation
import Layers
import TestSupport
import Testing

/// What the program must do with every cell in its table: train to the same bits at any rank count,
/// threaded or not, in both directions, go on from a checkpoint in the middle, and be measured.
@Suite(.serialized) struct EveryCellTests {
  static let names = RecurrentSystem.all.map(\.name)

  @Test(arguments: names) func trainsResumesAndIsMeasured(name: String) throws {
    try Places.withTemporaryFolder { folder in
      let settings = [
        "--set", "model.cell=\(name)", "--set", "model.layers=2", "--set",
        "model.bidirectional=true",
      ]
      func digest(_ run: String, _ ranks: Int?, _ more: [String]) throws -> String {
        let outcome = try RankCountTests.train(run, ranks: ranks, in: folder, settings + more)
        #expect(outcome.status == 0, "\(outcome.errors)")
        return try RankCountTests.digest(run, in: folder)
      }
      let expected = try digest("alone", nil, ["--max-steps", "9"])
      #expect(try digest("three", 3, ["--max-steps", "9", "--threads", "2"]) == expected)
      #expect(try digest("resumed", 2, ["--max-steps", "4"]) != expected)
      #expect(try digest("resumed", nil, ["--max-steps", "9", "--resume"]) == expected)

      let outcome = try Program.run(
        [
          "bench", "step", "--cell", name, "--hidden", "6", "--time", "20", "--batch", "8",
          "--repeats", "1", "--warmup", "0", "--json",
        ], in: folder)
      let line = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8))
      let result = try #require(line as? [String: Any])
      #expect(result["cell"] as? String == name && result["seconds_per_step"] is Double)
    }
  }

  /// The table is printed whole, a line for each cell.
  @Test func cellsListsTheTable() throws {
    try Places.withTemporaryFolder { folder in
      let text = try Program.run(["cells"], in: folder).output.split(separator: "\n")
      #expect(text.dropFirst().map { String($0.prefix { $0 != " " }) } == Self.names)
      let lines = try Program.run(["cells", "--json"], in: folder).output.split(separator: "\n")
      let lstm = try #require(
        lines.compactMap {
          try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
        }.first { $0["cell"] as? String == "momentum_lstm" })
      #expect(lstm["constants"] as? [String] == ["model.mu", "model.epsilon"])
      #expect(lstm["state"] as? String == "h, c, v[4H]" && lstm["body"] as? String == "lstm")
    }
  }
}
