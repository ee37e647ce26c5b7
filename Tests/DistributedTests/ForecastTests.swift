// SPDX-License-Identifier: Apache-2.0

import Foundation
import HDF5
import TestSupport
import Testing

/// Forecasts of series from `prepare` to `predict`.
@Suite(.serialized) struct ForecastTests {
  private static let (length, window, horizon) = (160, 17, 3)

  /// Two values around 500 that repeat every eight steps. The second lags behind.
  private static func value(_ t: Int, _ c: Int) -> Double {
    500 + 40 * sin(Double(t - 2 * c) * .pi / 4) + Double((t * 7919 + c) % 11) / 10
  }

  /// The mean error of forecasts [windows, H, 2] of the steps that follow the windows.
  private static func meanError(_ forecasts: [Float], _ ends: [Int]) -> Double {
    var (error, place) = (0.0, 0)
    for end in ends {
      for h in 0..<horizon {
        for c in 0..<2 {
          error += abs(Double(forecasts[place]) - value(end + h, c))
          place += 1
        }
      }
    }
    return error / Double(place)
  }

  /// The means of the same step one and two seasons before, in the window of 17.
  private static func seasonMeans(_ ends: [Int]) -> [Float] {
    var means: [Float] = []
    for end in ends {
      for h in 0..<horizon {
        for c in 0..<2 {
          means.append(Float((value(end + h - 8, c) + value(end + h - 16, c)) / 2))
        }
      }
    }
    return means
  }

  /// The error that an evaluation prints of them.
  private static func seasonalError(_ meaning: String) -> Double? {
    guard let text = meaning.split(separator: "; ").last, text.hasPrefix("the mean of earlier s")
    else { return nil }
    let words = text.split(separator: " ")
    return words.firstIndex(of: "MAE").flatMap { Double(words[$0 + 1].dropLast()) }
  }

  /// The record for the report has the test part's first steps as they were, and forecasts that are
  /// those of `predict`: of each window the next H steps, and the next window after them.
  private func expectPicture(_ folder: String) throws {
    let evaluated = try Program.succeed(["evaluate", "run"], in: folder)
    #expect(!evaluated.output.contains("persistence"))
    let data = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/run/evaluation-test.json"))
    let record = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    let curves = try #require(record["forecasts"] as? [String: Any])
    let steps = try #require(curves["steps"] as? [Int])
    #expect(steps == Array(0..<24))
    let values = try #require(curves["values"] as? [[String: Any]])
    #expect(values.map { $0["name"] as? String } == ["a", "b"])
    let predicted = try HDF5.File.open("\(folder)/p.h5").readAll("forecast", as: Float.self)
    for c in 0..<2 {
      func numbers(_ key: String) throws -> [Double] { try #require(values[c][key] as? [Double]) }
      for (step, known) in zip(steps, try numbers("truth")) {
        #expect(abs(known - Self.value(136 + step, c)) < 1e-2)
      }
      for (step, last) in zip(steps, try numbers("persistence")) {
        #expect(abs(last - Self.value(135 + step / 3 * 3, c)) < 1e-2)
      }
      for (step, mean) in zip(steps, try numbers("season")) {
        let t = 136 + step
        #expect(abs(mean - (Self.value(t - 8, c) + Self.value(t - 16, c)) / 2) < 1e-2)
      }
      for (step, forecast) in zip(steps, try numbers("forecast")) {
        let place = (step / 3 * 3 * Self.horizon + step % 3) * 2 + c
        #expect(abs(forecast - Double(predicted[place])) < 1e-2)
      }
    }
    _ = try Program.succeed(["report", "run", "--to", "r.html"], in: folder)
    let page = try String(contentsOfFile: "\(folder)/r.html", encoding: .utf8)
    #expect(page.contains("Forecasts of the test part: run"))
    #expect(page.contains("mean of earlier seasons"))
    #expect(page.contains("Mean absolute error of each value of the test part"))
    #expect(evaluated.output.contains("\nMAE of each value: a "), "\(evaluated.output)")
  }

  @Test func figuresOfPredictionsAreThoseOfAnEvaluation() throws {
    try Places.withTemporaryFolder { folder in
      let (length, window, horizon) = (Self.length, Self.window, Self.horizon)
      let rows = (0..<length).map { "\($0),\(Self.value($0, 0)),\(Self.value($0, 1))" }
      try Data(("t,a,b\n" + rows.joined(separator: "\n")).utf8)
        .write(to: URL(fileURLWithPath: "\(folder)/s.csv"))
      let prepared = try Program.succeed(
        ["prepare", "series", "--time", "t", "--from", "s.csv", "--to", "s.h5"], in: folder)
      #expect(
        prepared.output.contains(
          "series 0: 112 steps to train on, 24 to validate on, 24 to test on"),
        "\(prepared.output)")
      let settings = [
        "dataset.task=forecast", "dataset.file=s.h5", "dataset.window=\(window)",
        "dataset.horizon=\(horizon)", "model.cell=gru", "model.hidden_size=12", "epochs=20",
        "batch_size=8", "optimizer.learning_rate=0.01", "early_stopping.metric=mae",
        "dataset.season=8",
      ].flatMap { ["--set", $0] }
      _ = try Program.succeed(["train", "--output", "run"] + settings, in: folder)
      _ = try Program.succeed(["train", "--output", "three"] + settings, ranks: 3, in: folder)
      #expect(
        try RankCountTests.digest("run", in: folder)
          == RankCountTests.digest("three", in: folder))
      // The windows whose forecasts are in the test part, with raw numbers.
      let ends = Array(136...length - horizon)
      let file = try HDF5.File.create("\(folder)/windows.h5")
      var x: [Float] = []
      for end in ends {
        for t in end - window..<end { for c in 0..<2 { x.append(Float(Self.value(t, c))) } }
      }
      try file.write(x, to: "x", shape: [ends.count, window, 2])
      try file.close()
      _ = try Program.succeed(["predict", "run", "windows.h5", "--to", "p.h5"], in: folder)
      let predictions = try HDF5.File.open("\(folder)/p.h5")
      #expect(try predictions.dataset("forecast").shape == [ends.count, horizon, 2])
      let own = Self.meanError(try predictions.readAll("forecast", as: Float.self), ends)
      let text = try Program.succeed(["evaluate", "run", "--json"], in: folder).output
      let known = try #require(
        try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
      let mae = try #require(known["mae"] as? Double)
      #expect(abs(own - mae) < 1e-3, "\(own) \(known)")
      let each = try #require(known["value_errors"] as? [[String: Any]])
      #expect(each.map { $0["name"] as? String } == ["a", "b"])
      for (c, value) in each.enumerated() {
        let all = try predictions.readAll("forecast", as: Float.self).enumerated()
        let errors = all.filter { $0.offset % 2 == c }.map { place, forecast in
          let (window, h) = (place / (2 * horizon), place / 2 % horizon)
          return abs(Double(forecast) - Self.value(ends[window] + h, c))
        }
        let mean = errors.reduce(0, +) / Double(errors.count)
        #expect(abs(mean - (value["mae"] as? Double ?? 0)) < 1e-3, "\(mean) \(value)")
      }
      #expect(known["sequences"] as? Int == ends.count)
      let meaning = try #require(known["chance_meaning"] as? String)
      #expect(meaning.hasPrefix("repeating the last value: MAE "), "\(meaning)")
      let persistence = try #require(Double(meaning.split(separator: " ")[5].dropLast()))
      #expect(mae < persistence / 2, "\(mae) \(meaning)")
      let seasonal = try #require(Self.seasonalError(meaning))
      #expect(abs(seasonal - Self.meanError(Self.seasonMeans(ends), ends)) < 1e-3, "\(meaning)")
      try expectPicture(folder)
      // A whole series gives one forecast beyond its end, from its last steps.
      _ = try Program.succeed(
        ["predict", "run", "s.csv", "--time", "t", "--to", "next.csv"], in: folder)
      let lines = try String(contentsOfFile: "\(folder)/next.csv", encoding: .utf8)
        .split(separator: "\n")
      #expect(lines.count == 2 && lines[0].hasPrefix("sequence,forecast_0,"))
    }
  }
}
