// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

@testable import Reports

@Suite struct ReportTests {
  /// A run's folder with the given files.
  private func write(
    _ run: String, yaml: String? = nil, metrics: [String]? = nil, evaluation: String? = nil
  ) throws {
    try FileManager.default.createDirectory(atPath: run, withIntermediateDirectories: true)
    for (name, text) in [
      ("config.yaml", yaml), ("metrics.jsonl", metrics?.joined(separator: "\n")),
      ("evaluation-test.json", evaluation),
    ] {
      try text?.write(toFile: "\(run)/\(name)", atomically: true, encoding: .utf8)
    }
  }

  /// A configuration of lines "key: value".
  private func keys(_ yaml: String, _ path: String) -> [ReportedKey]? {
    yaml.split(separator: "\n").map { line in
      let sides = line.split(separator: ":").map { $0.trimmingCharacters(in: .whitespaces) }
      return ReportedKey(sides[0], sides[1])
    }
  }

  private func run(_ path: String) throws -> RunRecord {
    try RunRecord(path, configuration: keys)
  }

  private func page(_ runs: [RunRecord]) -> String {
    let defaults = [
      ReportedKey("epochs", "10"), ReportedKey("size", "4"), ReportedKey("more", "1"),
    ]
    return ReportPage(runs, defaults: defaults, version: "0").html
  }

  private let metrics = [
    #"{"step": 5, "epoch": 1, "split": "train", "loss": 2.0, "accuracy": 0.25, "gradient_norm": 3}"#,
    #"{"step": 10, "epoch": 1, "split": "validation", "loss": 1.5, "accuracy": 0.5}"#,
    #"{"step": 20, "epoch": 2, "split": "validation", "loss": 1.75, "accuracy": 0.75, "own_metric": 1, "chance_loss": 2.5, "seconds": 3}"#,
    #"{"step": 25, "epoch": 3, "split": "train", "loss": null}"#, #"{"step": 30, "ep"#,
  ]

  @Test func curvesAreReadFromARunInProgress() throws {
    try Places.withTemporaryFolder { folder in
      try write("\(folder)/run", yaml: "epochs: 9", metrics: metrics)
      let run = try self.run("\(folder)/run")
      #expect(
        run.curve("loss", validation: true, by: .step)
          == [ChartPoint(x: 10, y: 1.5), ChartPoint(x: 20, y: 1.75)])
      #expect(run.curve("loss", validation: true, by: .epoch).map(\.x) == [1, 2])
      // Ten steps per epoch; numbers that are not finite are left out.
      #expect(run.curve("loss", validation: false, by: .epoch) == [ChartPoint(x: 0.5, y: 2)])
      #expect(
        run.curve("loss", validation: true, by: .time) == [ChartPoint(x: 0.05, y: 1.75)])
      #expect(run.best?.step == 10 && run.standing == "epoch 3 of 9, step 25")
      #expect(run.metricKeys == ["accuracy", "own_metric"])
      #expect(run.chanceLoss == 2.5)
      #expect(page([run]).contains("2.500 in validation: an untrained baseline"))
    }
  }

  /// What the level means is above the plot, where no curve runs through it, in lines that fit.
  @Test(arguments: [
    ("2.500 in validation: guessing", 1),
    ("1.785 in validation: answering the last known value of every series", 2),
    (String(repeating: "seven ", count: 60), 3),
  ])
  func theLabelOfTheLevelIsAboveTheCurves(label: String, lines: Int) throws {
    let points = (0..<9).map { ChartPoint(x: Double($0), y: Double($0)) }
    let chart = LineChart(
      "loss", x: "epoch", y: "loss",
      [ChartSeries(label: "run", points: points, number: 0, style: .marked)], baseline: (7.5, label)
    )
    let svg = chart.html
    let texts = svg.matches(of: /<text class="tick" x="108\.0" y="([0-9.]+)">([^<]*)</)
    #expect(texts.count == lines, "\(svg)")
    #expect(label.hasPrefix(String(texts[0].2)))
    let rows = svg.matches(of: /cy="([0-9.]+)"/).compactMap { Double($0.1) }
    let highest = try #require(rows.min())
    #expect(rows.count == 9)
    for text in texts {
      let y = try #require(Double(text.1))
      #expect(y > 20 && y < chart.top && chart.top <= highest, "\(y), \(chart.top), \(highest)")
      #expect(text.2.count <= 50)
    }
  }

  @Test func emptyAndForeignFolders() throws {
    try Places.withTemporaryFolder { folder in
      #expect(throws: ReportError.self) { try run(folder) }
      try write("\(folder)/new", yaml: "epochs: 2", metrics: [])
      try write("\(folder)/odd", metrics: ["{}", "[1]", "word"])
      let page = page([try run("\(folder)/new"), try run("\(folder)/odd")])
      #expect(page.contains("nothing recorded yet") && !page.contains("<svg"))
    }
  }

  /// Names are whatever the user calls folders and classes; none may become markup.
  @Test func hostileNamesAreText() throws {
    try Places.withTemporaryFolder { folder in
      let evil = #"<script>alert('a')&"b""#
      let evaluation =
        #"{"split":"test","step":10,"epoch":1,"checkpoint":"best","loss":1,"metrics":{},"sequences":3,"elements":3,"confusion":[[1,0],[1,1]],"class_names":["<b>","&"],"chance_loss":2.5,"chance_meaning":"<i>"}"#
      try write("\(folder)/\(evil)", yaml: "", metrics: metrics, evaluation: evaluation)
      let page = page([try run("\(folder)/\(evil)")])
      for mark in ["<script", "<b>", "<i>", "'a'", "\"b\"\""] { #expect(!page.contains(mark)) }
      #expect(page.contains("&lt;script&gt;") && page.contains("<svg"))
      #expect(page.contains("&lt;b&gt;") && page.contains("50.0 %"))
      #expect(!page.contains("http://") && !page.contains("https://"), "the page needs no network")
      #expect(escapeHTML("a\u{0}\u{1b}<\u{7f}") == "a&lt;")
    }
  }

  @Test func runsAreToldApartAndCompared() throws {
    try Places.withTemporaryFolder { folder in
      for (name, size) in [("a/run", 8), ("b/run", 16)] {
        try write("\(folder)/\(name)", yaml: "size: \(size)\nmore: 3", metrics: metrics)
      }
      let runs = try ["a/run", "b/run"].map { try run("\(folder)/\($0)") }
      #expect(runs.withDistinctLabels().map(\.label) == ["a/run", "b/run"])
      let page = page(runs)
      #expect(page.contains("<code>size</code></td><td>8</td><td>16</td>"))
      #expect(!page.contains("<code>more</code>") && !page.contains("<code>epochs</code>"))
      let alone = self.page([runs[0]])
      #expect(alone.contains("<code>more</code></td><td>3</td>"), "not at its default")
      let doubled = [runs[0], runs[0]].withDistinctLabels()
      #expect(doubled.count == 2)
    }
  }

  /// The first forecasts are drawn beside what came, each value in a chart of its own.
  @Test func forecastsAreDrawn() throws {
    try Places.withTemporaryFolder { folder in
      let evaluation =
        #"{"split":"test","step":10,"epoch":1,"checkpoint":"best","loss":1,"metrics":{},"sequences":3,"elements":3,"chance_loss":2,"chance_meaning":"repeating the last value: MAE 3","forecasts":{"horizon":2,"steps":[0,1,2],"values":[{"name":"<b>load","truth":[1,2,3],"forecast":[1,2],"persistence":[0,1,2],"season":[]},{"name":"price","truth":[4,5,6],"forecast":[7,8,9],"persistence":[4,4,4],"season":[]}]}}"#
      try write("\(folder)/run", yaml: "", metrics: metrics, evaluation: evaluation)
      let page = page([try run("\(folder)/run")])
      #expect(page.contains("Forecasts of the test part: run") && page.contains("&lt;b&gt;load"))
      #expect(page.components(separatedBy: "<figure class=\"wide\">").count == 1 + 2)
      for line in ["series", "repeating the last value", "forecast"] {
        #expect(page.contains("</span>\(line)</li>"), "\(line)")
      }
      #expect(!page.contains("mean of earlier seasons"), "there is no season")
      #expect(page.contains("Each window forecasts 2 steps at once"))
      // The level of validation has no figures of the test part.
      #expect(page.contains("2.500 in validation: repeating the last value</text>"))
    }
  }

  /// Where classes are rare, accuracy tells little: other scores are shown, and a narrow screen shows
  /// every column.
  @Test func scoresOfRareClassesAreShown() throws {
    try Places.withTemporaryFolder { folder in
      let evaluation =
        #"{"split":"test","step":10,"epoch":1,"checkpoint":"best","loss":1,"metrics":{"accuracy":0.75,"macro_f1":0.5,"auc":0.9},"sequences":4,"elements":4,"confusion":[[3,0],[1,0]],"class_names":["<no>","yes"]}"#
      try write("\(folder)/run", yaml: "", metrics: metrics, evaluation: evaluation)
      let page = page([try run("\(folder)/run")])
      #expect(
        page.contains(
          "best checkpoint: macro F1 50.00 %, AUC 0.9000; always &lt;no&gt; is right for 75.00 % of the"
            + " answers."), "\(page)")
      #expect(page.contains("data-h=\"validation accuracy\">50.00 %</td>"))
    }
  }

  @Test func ticksAreRound() {
    #expect(LineChart.ticks(0...1, about: 5) == [0, 0.2, 0.4, 0.6000000000000001, 0.8, 1])
    #expect(LineChart.ticks(3...3, about: 5) == [3])
    #expect(LineChart.decades(-3...2).map { log10($0).rounded() } == [-3, -2, -1, 0, 1, 2])
    #expect(
      LineChart.decades(-58.3...0.2).map { log10($0).rounded() } == [-50, -40, -30, -20, -10, 0])
    #expect(LineChart.number(0.6000000000000001) == "0.6" && LineChart.number(2e7) == "2e7")
    let many = (0..<5000).map { ChartPoint(x: Double($0), y: 1) }
    let few = LineChart.thinned(many)
    #expect(few.count <= 480 && few.allSatisfy { $0.y == 1 })
  }

  @Test func seedsHaveMeanAndSampleDeviation() throws {
    let summary = SeedSummary([
      .init(seed: 1, step: 5, values: ["test_accuracy": 0.9, "test_loss": 1]),
      .init(seed: 2, step: 6, values: ["test_accuracy": 0.94, "test_loss": 2, "more": 1]),
    ])
    #expect(abs(summary.spreads["test_accuracy"]!.mean - 0.92) < 1e-15)
    #expect(abs(summary.spreads["test_loss"]!.deviation - 0.5.squareRoot()) < 1e-15)
    #expect(summary.spreads["more"] == nil)
    #expect(summary.text == "test accuracy 92.00 ± 2.83 %, test loss 1.500 ± 0.71")
    #expect(SeedSummary.Spread([3]).deviation == 0)
    let again = try JSONDecoder().decode(SeedSummary.self, from: Data(summary.json.utf8))
    #expect(again.spreads == summary.spreads)
  }
}
