// SPDX-License-Identifier: Apache-2.0

import Foundation
import Layers
import TestSupport
import Testing

/// The figures of `bench step` and `bench kernels` are consistent.
@Suite(.serialized) struct BenchTests {
  private static func lines(_ arguments: [String], ranks: Int? = nil) throws -> [[String: Any]] {
    try Places.withTemporaryFolder { folder in
      let outcome = try Program.run(
        ["bench"] + arguments + ["--json"], ranks: ranks, in: folder, deadline: 600)
      #expect(outcome.status == 0, "\(outcome.errors)")
      return try outcome.output.split(separator: "\n").map { line in
        try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
      }
    }
  }

  private static let small = [
    "step", "--hidden", "6", "--time", "40", "--batch", "8", "--repeats", "2", "--warmup", "1",
  ]

  @Test func anOrthogonalStepSaysWhatItsMatrixCosts() throws {
    let line = try #require(
      try Self.lines(Self.small + ["--cell", "dtriv", "--layers", "2"], ranks: 2).first)
    let cost = try #require(line["orthogonal"] as? [String: Any])
    #expect(cost["maps_per_step"] as? Int == 2 && cost["adjoints_per_step"] as? Int == 2)
    let seconds = try ["map_seconds", "adjoint_seconds"].map { try #require(cost[$0] as? Double) }
    let share = try #require(cost["share"] as? Double)
    #expect(seconds.allSatisfy { $0 > 0 } && 0 < share && share < 1)
    #expect(
      line["seconds_per_step"] is Double && (line["peak_memory_bytes"] as? Int ?? 0) > 1 << 20)
  }

  @Test func otherStepsHaveNoSuchCost() throws {
    let line = try #require(try Self.lines(Self.small + ["--recompute-every", "7"]).first)
    #expect(line["orthogonal"] == nil && line["recompute_every"] as? Int == 7)
  }

  /// The parts of one step add up to it, and every part of two fused layers is among them.
  @Test func thePartsOfAStepAddUp() throws {
    let parts = ["--repeats", "1", "--phases", "--layers", "2", "--input", "3"]
    let line = try #require(try Self.lines(Self.small + parts).first)
    let total = try #require(line["seconds_per_step"] as? Double)
    let phases = try #require(line["phases"] as? [[String: Any]])
    let seconds = try phases.map { try #require($0["seconds"] as? Double) }
    #expect(abs(seconds.reduce(0, +) - total) < 1e-3 * total)
    #expect(
      phases.compactMap { $0["name"] as? String } == [
        "packing weights", "input product", "recurrent product", "pointwise forward, saving",
        "product backward", "pointwise backward, reading", "input gradient", "weight gradient",
        "clearing, read-out, loss", "reduction", "clipping, optimizer",
      ])
    // The parts that grow with the work are compared with the same work in the caches.
    #expect(phases.compactMap { $0["cached_seconds"] as? Double }.count { $0 > 0 } == 7)
  }

  /// The limit of a kernel: the same work with all data in the caches.
  @Test func kernelsHaveALimit() throws {
    let sizes = ["--hidden", "16", "--batch", "16", "--time", "20", "--repeats", "1"]
    let lines = try Self.lines(["kernels", "--cell", "lstm", "--cell", "lmu"] + sizes)
    let limits = lines.map { $0["cached_utilisation"] as? Double }
    #expect(lines.count == 5 && limits.prefix(2).allSatisfy { $0 ?? 0 > 0 }, "\(limits)")
    // Neither layers that are not fused nor OpenBLAS have parts.
    #expect(limits.dropFirst(2).allSatisfy { $0 == nil }, "\(limits)")
  }

  @Test func partsAreThoseOfFusedLayersOnOneThread() throws {
    try Places.withTemporaryFolder { folder in
      for (arguments, ranks, words) in [
        (["--cell", "ndt"], nil, "ndt has no fused layer, whose parts --phases measures"),
        (["--threads", "2"], nil, "--phases takes one thread"),
        ([], 2, "--phases measures one rank and there are 2: leave out mpirun"),
      ] as [([String], Int?, String)] {
        let refused = try Program.run(
          ["bench"] + Self.small + ["--phases"] + arguments, ranks: ranks, in: folder)
        #expect(refused.status == 64 && refused.message.contains(words), "\(refused.errors)")
      }
    }
  }

  @Test func aStepMayHaveNorms() throws {
    let norms = ["--cell", "adam_gru", "--normalization", "assorted_time", "--window", "3"]
    let line = try #require(try Self.lines(Self.small + norms).first)
    #expect(line["cell"] as? String == "adam_gru" && line["window"] as? Int == 3)
    #expect(line["normalization"] as? String == "assorted_time")
    let plain = try #require(try Self.lines(Self.small + ["--cell", "adam_gru"]).first)
    #expect(plain["normalization"] as? String == "none" && plain["window"] == nil)
    // Gains and shifts of two norms over three gates of six units.
    let more = try #require(line["parameters"] as? Int) - #require(plain["parameters"] as? Int)
    #expect(more == 2 * 2 * 3 * 6)
    try Places.withTemporaryFolder { folder in
      let refused = try Program.run(
        ["bench", "step", "--cell", "dtriv", "--normalization", "layer"], in: folder)
      #expect(refused.status == 64 && refused.message.contains("dtriv cannot be given norms"))
    }
  }

  @Test func aStepMayBeThatOfAGraph() throws {
    let small = [
      "step", "--cell", "graph", "--map", "6x5", "--input", "2", "--batch", "8", "--time", "3",
      "--repeats", "1", "--warmup", "0", "--graph",
    ]
    let graph = "a: input, channels 3; b: a, channels 4, kernel 1, pool mean all"
    let line = try #require(try Self.lines(small + [graph]).first)
    // 3x3 windows of 2 channels to 3, then 1x1 to 4, with biases; ten classes.
    #expect(line["parameters"] as? Int == 3 * 19 + 4 * 4 + 10 * 5)
    try Places.withTemporaryFolder { folder in
      for (arguments, words) in [
        (small + ["a: b, channels 3"], "a reads b, which is not a node"),
        (["step", "--cell", "lstm", "--graph", graph], "--graph is for --cell graph, not lstm"),
      ] {
        let refused = try Program.run(["bench"] + arguments, in: folder)
        #expect(refused.status == 64 && refused.message.contains(words), "\(refused.message)")
      }
    }
  }

  @Test func accuracyCoversEveryFunctionAndCell() throws {
    let lines = try Self.lines(["kernels", "--accuracy", "--every", "999983"])
    for name in ["exp", "tanh", "logistic"] {
      #expect(lines.contains { $0["function"] as? String == name && $0["kernels"] is String })
    }
    let systems = Set(lines.compactMap { $0["system"] as? String })
    #expect(systems.count == RecurrentSystem.all.count && systems.contains("srdtriv"))
    #expect(lines.compactMap { $0["worst_error"] as? Double }.allSatisfy { $0 <= 1e-5 })
  }
}
