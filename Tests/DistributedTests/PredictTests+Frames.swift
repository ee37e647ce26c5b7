// SPDX-License-Identifier: Apache-2.0

import Foundation
import HDF5
import TestSupport
import Testing

/// Predictions of a model of the next frame.
extension PredictTests {
  /// Each frame from those before it, and one beyond the end: by layers that carry a state, and by one
  /// that reads the whole sequence again.
  @Test(arguments: [
    ["model.hidden_size=5"],
    ["model.cell=srlstm", "model.restart=3", "model.layers=2", "model.hidden_size=5"],
    ["model.cell=hippo_legs", "model.hidden_size=5"],
    ["model.cell=atn_gru", "model.hidden_size=5"],
    ["model.cell=ndt", "ndt.context_forward=0", "ndt.heads=1", "model.hidden_size=6"],
  ])
  func forecastsOfFramesAreThoseOfAnEvaluation(model: [String]) throws {
    try Places.withTemporaryFolder { folder in
      let lengths = [7, 4, 9, 5, 6, 8, 7, 4]
      let count = lengths.reduce(0, +)
      var frames: [Float] = []
      for t in 0..<count { for c in 0..<3 { frames.append(Float((t * 37 + c * 11) % 17) / 8 - 1) } }
      let file = try HDF5.File.create("\(folder)/frames.h5")
      try file.setAttribute("task", "next_frame")
      try file.setAttribute("format_version", 1)
      for part in ["train", "validation", "test"] {
        try file.write(frames, to: "\(part)/inputs", shape: [count, 3])
        try file.write(
          lengths.reduce(into: [0]) { $0.append($0.last! + $1) }, to: "\(part)/offsets")
      }
      try file.close()
      _ = try run(
        ["train", "--output", "run", "--set", "dataset.task=next_frame"]
          + [
            "--set", "dataset.file=frames.h5", "--set", "epochs=2",
          ] + model.flatMap { ["--set", $0] }
          + ["--set", "batch_size=4", "--set", "shards=4"], in: folder)
      _ = try run(["predict", "run", "frames.h5", "--to", "p.h5"], ranks: 3, in: folder)
      let output = try HDF5.File.open("\(folder)/p.h5")
      let predictions = try output.readAll("predictions", as: Float.self)
      let forecasts = try output.readAll("forecast", as: Float.self)
      #expect(try output.dataset("predictions").shape == [8, 9, 3])
      var (error, elements, start) = (0.0, 0, 0)
      for (n, length) in lengths.enumerated() {
        for t in 0..<length {
          for c in 0..<3 {
            let said = predictions[(n * 9 + t) * 3 + c]
            if t + 1 < length {
              let difference = Double(said - frames[(start + t + 1) * 3 + c])
              error += difference * difference
              elements += 1
            } else {
              #expect(said == forecasts[n * 3 + c])
            }
          }
        }
        start += length
      }
      let loss = try #require(try evaluation("run", in: folder)["loss"] as? Double)
      #expect(abs(error / Double(elements) - loss) < 1e-6, "\(error / Double(elements)) \(loss)")
      try expectRollOut(frames, lengths, predictions, in: folder)
    }
  }

  /// Frames beyond the end: each is the forecast after those before it were appended. The answers
  /// at the known frames stay.
  private func expectRollOut(
    _ frames: [Float], _ lengths: [Int], _ predictions: [Float], in folder: String
  ) throws {
    _ = try run(["predict", "run", "frames.h5", "--roll-out", "3", "--to", "r.h5"], in: folder)
    _ = try run(
      ["predict", "run", "frames.h5", "--roll-out", "3", "--to", "r3.h5"], ranks: 3, in: folder)
    #expect(try bytes("r.h5", in: folder) == bytes("r3.h5", in: folder))
    let output = try HDF5.File.open("\(folder)/r.h5")
    let coming = try output.readAll("forecast", as: Float.self)
    #expect(try output.dataset("forecast").shape == [8, 3, 3])
    #expect(try output.readAll("predictions", as: Float.self) == predictions)
    _ = try run(["predict", "run", "frames.h5", "--roll-out", "3", "--to", "r.csv"], in: folder)
    let csv = try String(contentsOfFile: "\(folder)/r.csv", encoding: .utf8).split(separator: "\n")
    #expect(csv.first == "sequence,step,forecast_0,forecast_1,forecast_2")
    var expected: [String] = []
    let T = predictions.count / (3 * lengths.count)
    for (n, length) in lengths.enumerated() {
      let known = predictions[3 * T * n..<3 * (T * n + length)]
      let all = known + coming[9 * n + 3..<9 * (n + 1)]
      expected += (0..<length + 2).map { step in
        let frame = all.dropFirst(3 * step).prefix(3).map { "\($0)" }
        return "\(n),\(step + 1)," + frame.joined(separator: ",")
      }
    }
    #expect(csv.dropFirst().map(String.init) == expected)
    for added in 0..<3 {
      var (x, start) = ([Float](), 0)
      var offsets = [0]
      var expected: [Float] = []
      for (n, length) in lengths.enumerated() {
        let (own, after) = (3 * start, 9 * n + 3 * added)
        x += frames[own..<own + 3 * length]
        x += coming[9 * n..<after]
        expected += coming[after..<after + 3]
        offsets.append(x.count / 3)
        start += length
      }
      let file = try HDF5.File.create("\(folder)/longer.h5")
      try file.setAttribute("task", "next_frame")
      try file.setAttribute("format_version", 1)
      try file.write(x, to: "test/inputs", shape: [x.count / 3, 3])
      try file.write(offsets, to: "test/offsets")
      try file.close()
      _ = try run(["predict", "run", "longer.h5", "--to", "next.h5"], in: folder)
      let next = try HDF5.File.open("\(folder)/next.h5").readAll("forecast", as: Float.self)
      #expect(next == expected, "after \(added)")
    }
  }
}
