// SPDX-License-Identifier: Apache-2.0

import Foundation
import HDF5
import RandomNumbers
import TestSupport
import Testing

/// Masked modelling of spike counts from a file to `evaluate`, with any layer. The bits are the
/// same at any rank count and after an interruption.
@Suite(.serialized) struct MaskedSpikesRunTests {
  /// Counts of six neurons about rates that rise and fall, in 30 trials of 25 steps.
  private func write(_ path: String) throws {
    let file = try HDF5.File.create(path)
    try file.setAttribute("format_version", 1)
    try file.setAttribute("task", "masked_spikes")
    var stream = RandomStream(seed: 8, purpose: .testing)
    for part in ["train", "validation", "test"] {
      var (counts, rates) = ([UInt8](), [Float]())
      for trial in 0..<30 {
        for t in 0..<25 {
          for c in 0..<6 {
            let rate = 1 + sin(Double(t + trial % 3 * 5) / 3 + Double(c))
            rates.append(Float(rate))
            counts.append(UInt8((0..<4).count { _ in stream.uniform() < rate / 4 }))
          }
        }
      }
      try file.write(counts, to: "\(part)/spikes", shape: [30, 25, 6])
      try file.write(rates, to: "\(part)/rates", shape: [30, 25, 6])
    }
    try file.close()
  }

  @Test(arguments: [
    "model.cell=ndt model.layers=2 ndt.embedding=table ndt.position=learned ndt.pre_norm=true",
    "model.cell=gru model.bidirectional=true", "model.cell=momentum_lstm",
  ])
  func trainsToTheSameBits(_ body: String) throws {
    try Places.withTemporaryFolder { folder in
      try write("\(folder)/spikes.h5")
      let settings =
        ([
          "dataset.task=masked_spikes", "dataset.file=spikes.h5", "batch_size=8", "epochs=3",
          "model.hidden_size=6", "masking.max_span=3", "masking.zero_ratio=0.8",
          "optimizer.name=adamw", "optimizer.schedule=warmup_cosine", "optimizer.warmup_steps=3",
          "log.every_steps=1",
        ] + body.split(separator: " ").map(String.init)).flatMap { ["--set", $0] }
      func digest(_ run: String, _ ranks: Int?, _ more: String...) throws -> String {
        let outcome = try Program.run(
          ["train", "--output", run] + settings + more, ranks: ranks, in: folder)
        #expect(outcome.status == 0, "\(outcome.errors)")
        return try RankCountTests.digest(run, in: folder)
      }
      let expected = try digest("alone", nil)
      #expect(try digest("two", 2, "--threads", "2") == expected)
      #expect(try digest("three", 3) == expected)
      #expect(try digest("resumed", 2, "--max-steps", "5") != expected)
      #expect(try digest("resumed", nil, "--resume") == expected)
      #expect(
        try RankCountTests.metrics("resumed", in: folder)
          == RankCountTests.metrics("alone", in: folder))
      var measured: [[String: Double]] = []
      for ranks in [nil, 3] as [Int?] {
        let outcome = try Program.run(["evaluate", "alone", "--json"], ranks: ranks, in: folder)
        let object = try #require(
          try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any],
          "\(outcome.errors)")
        measured.append(
          ["loss", "bits_per_spike", "pooled_r2", "median_r2"].reduce(into: [:]) {
            $0[$1] = object[$1] as? Double
          })
      }
      #expect(measured[0].count == 4 && measured[0] == measured[1], "\(measured)")
    }
  }
}
