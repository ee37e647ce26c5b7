// SPDX-License-Identifier: Apache-2.0

import Foundation
import HDF5
import Kernels
import Layers
import TestSupport
import Testing

/// Every cell in the table must train to the same bits at any rank count, with or without threads,
/// in both directions. It must also resume from a checkpoint within an epoch, and be evaluated.
@Suite(.serialized) struct EveryCellTests {
  static let names = RecurrentSystem.all.map(\.name)

  private static let isFused = KernelBackend.current.arithmetic == .fused

  /// The digest of each cell's parameters after nine steps, on every processor with fused products
  /// and with the C library of Debian 12.
  private static let golden: [String: String] = {
    let text = try? String(contentsOfFile: Places.fixtures + "/digests.txt", encoding: .utf8)
    let lines = (text ?? "").split(separator: "\n").map { $0.split(separator: " ") }
    return Dictionary(lines.map { ("\($0[0])", "\($0[1])") }) { $1 }
  }()

  @Test(arguments: names) func trainsResumesAndIsMeasured(name: String) throws {
    try Places.withTemporaryFolder { folder in
      let system = try #require(RecurrentSystem(named: name))
      // An encoder already sees both directions, and two heads do not divide five units.
      var settings = [
        "model.cell=\(name)", "model.layers=2",
        system.isEncoder ? "ndt.heads=1" : "model.bidirectional=\(!system.readsMaps)",
      ]
      if system.readsMaps {
        try Self.writeImages("\(folder)/images.h5")
        settings +=
          ["dataset.task=classification", "dataset.file=images.h5", "dataset.view=image"]
          + ["dataset.image_steps=4", "dataset.noise=0.1", "dataset.validation_count=4"]
          + ["dataset.inputs={part}/x", "dataset.targets={part}/y", "model.hidden_size=3"]
        if name == "graph" {
          settings[1] = "model.graph=a: input + b, channels 3; b: a, channels 2, cell rgc"
        }
      }
      settings = settings.flatMap { ["--set", $0] }
      func digest(
        _ run: String, _ ranks: Int?, _ more: [String], kernels: KernelBackend = .current
      ) throws -> String {
        let outcome = try RankCountTests.train(
          run, ranks: ranks, in: folder, settings + more,
          environment: [KernelBackend.variable: kernels.name])
        #expect(outcome.status == 0, "\(outcome.errors)")
        return try RankCountTests.digest(run, in: folder)
      }
      let expected = try digest("alone", nil, ["--max-steps", "9"])
      if Self.isFused {
        #expect(
          Self.golden[name] == expected, "Tests/Fixtures/digests.txt lacks: \(name) \(expected)")
      }
      #expect(try digest("three", 3, ["--max-steps", "9", "--threads", "2"]) == expected)
      // On the narrowest vectors that have the bits of this processor.
      let narrow = try #require(
        KernelBackend.supported.first { $0.arithmetic == KernelBackend.current.arithmetic })
      #expect(try digest("resumed", 2, ["--max-steps", "4"], kernels: narrow) != expected)
      #expect(try digest("resumed", nil, ["--max-steps", "9", "--resume"]) == expected)

      let outcome = try Program.run(
        [
          "bench", "step", "--cell", name, "--hidden", "6", "--time", "20", "--batch", "8",
          "--repeats", "1", "--warmup", "0", "--map", "3x2", "--input", "6", "--json",
        ], in: folder)
      let line = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8))
      let result = try #require(line as? [String: Any])
      #expect(result["cell"] as? String == name && result["seconds_per_step"] is Double)
    }
  }

  /// A language model of characters, whose state is carried from chunk to chunk: the same bits on two
  /// ranks, and after an interruption within an epoch.
  @Test(
    arguments: RecurrentSystem.all.filter { !$0.isEncoder && !$0.readsMaps }.map(\.name))
  func learnsCharacters(name: String) throws {
    try Places.withTemporaryFolder { folder in
      let alphabet = Array("abc de\nfgh".utf8)
      let letters = (0..<3000).map { alphabet[$0 * $0 % 97 * $0 % 10] }
      try Data(letters).write(to: URL(fileURLWithPath: "\(folder)/text.txt"))
      let prepared = try Program.run(
        ["prepare", "text", "--from", "text.txt", "--to", "text.h5", "--level", "character"],
        in: folder)
      #expect(prepared.status == 0, "\(prepared.errors)")
      let settings = [
        "dataset.task=language_model", "dataset.file=text.h5", "model.cell=\(name)",
        "model.hidden_size=6", "batch_size=6", "shards=4", "language_model.embedding_size=4",
        "language_model.tied=false", "language_model.chunk_length=9",
        "language_model.weight_dropout=0", "log.every_steps=1",
      ].flatMap { ["--set", $0] }
      func digest(_ run: String, _ ranks: Int?, _ more: String...) throws -> String {
        let outcome = try Program.run(
          ["train", "--output", run] + settings + more, ranks: ranks, in: folder)
        #expect(outcome.status == 0, "\(outcome.errors)")
        return try RankCountTests.digest(run, in: folder)
      }
      let expected = try digest("alone", nil, "--max-steps", "7")
      #expect(try digest("resumed", 2, "--max-steps", "3") != expected)
      #expect(try digest("resumed", 2, "--max-steps", "7", "--resume") == expected)
      let metrics = try RankCountTests.metrics("resumed", in: folder)
      #expect(metrics.last?.contains("\"bits_per_token\"") == true, "\(metrics)")
    }
  }

  /// Images of 4 x 3 x 3 of two classes.
  private static func writeImages(_ path: String) throws {
    let file = try HDF5.File.create(path)
    let train = try file.createGroup("train")
    let numbers = (0..<40 * 36).map { Float($0 * 7919 % 101) / 100 }
    try train.write(numbers, to: "x", shape: [40, 4, 3, 3])
    try train.write((0..<40).map { Int32($0 % 2) }, to: "y")
  }

  /// The whole table is printed, with one line per cell.
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
