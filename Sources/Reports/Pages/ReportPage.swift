// SPDX-License-Identifier: Apache-2.0

import Files
import Foundation

/// One self-contained HTML page on one run, or on several side by side.
public struct ReportPage {
  private let runs: [RunRecord]
  /// How the gradient flows back through time, for those runs for which it was computed.
  private let gradients: [ProbeCurve]
  /// Summaries over several seeds, by their folder.
  private let series: [(path: String, summary: SeedSummary)]
  /// Sweeps, by their folder.
  private let sweeps: [(path: String, record: SweepRecord)]
  /// Every key of a configuration with its default.
  private let defaults: [ReportedKey]
  private let version: String
  private let made: Date
  /// What is shown above the report if the page is served during a run.
  public var live: LiveState?

  /// Makes the page.
  ///
  /// - Parameters:
  ///   - runs: the runs to draw
  ///   - defaults: every key of a configuration with its default, in the order of the page
  ///   - version: the program's
  ///   - gradients: gradients of `probe` to draw
  ///   - series: runs of several seeds, with their summaries
  ///   - sweeps: the sweeps to draw
  ///   - made: the time on the page
  public init(
    _ runs: [RunRecord], defaults: [ReportedKey], version: String, gradients: [ProbeCurve] = [],
    series: [(path: String, summary: SeedSummary)] = [],
    sweeps: [(path: String, record: SweepRecord)] = [], made: Date = Date()
  ) {
    self.runs = runs.withDistinctLabels()
    self.defaults = defaults
    self.version = version
    self.gradients = gradients
    self.series = series
    self.sweeps = sweeps
    self.made = made
  }

  /// Writes the page completely or not at all.
  public func write(to path: String) throws(FileError) {
    try DurableFiles.write(html, to: path)
  }

  /// The page as one HTML document, with its style and figures inside.
  public var html: String {
    let title = runs.count == 1 ? runs[0].label : "\(runs.count) runs"
    let body = [
      live?.html ?? "", legend, sweepSections, section("Results", resultTable + seedTable),
      section("Loss", figures(lossCharts)), section("Metrics", figures(metricCharts)),
      section("Gradients and learning rate", figures(gradientCharts)),
      valueErrorSection, forecastSections, confusionSections,
      section("Configuration", configurationTable),
    ]
    return """
      <!DOCTYPE html>
      <html lang="en"><head><meta charset="utf-8">
      <meta http-equiv="Content-Security-Policy" content="\(Self.policy)">
      <meta name="viewport" content="width=device-width, initial-scale=1">\(live?.refresh ?? "")
      <title>\(escapeHTML(title)) - momentum-dist</title>
      <style>\(Self.style)</style></head><body>
      <h1>\(escapeHTML(title))</h1>
      <p class="quiet">momentum-dist \(version), \(ISO8601DateFormatter().string(from: made))</p>
      \(body.joined(separator: "\n"))
      </body></html>

      """
  }

  /// The page's security policy, which lets it only display itself. Even with foreign markup, no
  /// script would run, and nothing would be loaded or sent.
  public static let policy =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"

  private func section(_ title: String, _ content: String) -> String {
    content.isEmpty ? "" : "<h2>\(title)</h2>\n\(content)"
  }

  private func figures(_ charts: [LineChart]) -> String {
    let drawn = charts.filter { !$0.isEmpty }.map(\.html)
    return drawn.isEmpty ? "" : "<div class=\"charts\">\n\(drawn.joined(separator: "\n"))\n</div>"
  }

  /// A patch in the colour of a run's lines.
  private func swatch(_ index: Int) -> String {
    "<span class=\"swatch \(ChartStyle.colorClass(index))\"></span>"
  }

  private var legend: String {
    let names = runs.enumerated().map { index, run in
      "<li>\(swatch(index))\(escapeHTML(run.label))</li>"
    }
    return """
      <ul class="legend">\(names.joined())</ul>
      <p class="quiet">Pale lines are the training set, averaged between two reports; strong lines \
      with dots are the validation set at the end of each epoch.</p>
      """
  }

  // MARK: Charts

  private func curves(_ key: String, by axis: ChartAxis) -> [ChartSeries] {
    // Validation is drawn on top.
    [false, true].flatMap { isValidation in
      runs.enumerated().map { index, run in
        ChartSeries(
          label: run.label + (isValidation ? ", validation" : ", training"),
          points: run.curve(key, validation: isValidation, by: axis), number: index,
          style: isValidation ? .marked : .faint)
      }
    }
  }

  /// The axes to draw curves along. One run has the same curve by step, by epoch and by time. Steps
  /// of different runs take different times, so several runs are drawn by time as well.
  private var axes: [ChartAxis] {
    let main: ChartAxis = runs.contains { $0.completeEpochs > 1 } ? .epoch : .step
    return runs.count > 1 && runs.allSatisfy(\.hasTimes) ? [main, .time] : [main]
  }

  private func charts(
    _ key: String, _ name: String, baseline: (y: Double, label: String)? = nil
  ) -> [LineChart] {
    axes.map { axis in
      LineChart(
        "\(name) by \(axis.rawValue)", x: axis.label, y: name, curves(key, by: axis),
        baseline: baseline)
    }
  }

  private var lossCharts: [LineChart] {
    // The baseline loss, if it is the same for all.
    let levels = Set(runs.map(\.chanceLoss))
    var baseline: (y: Double, label: String)?
    if levels.count == 1, let loss = levels.first! {
      // The text after a colon has the metrics of the test part; this level is that of validation.
      let told = runs[0].test?.chanceMeaning?.split(separator: ":").first.map(String.init)
      let meaning = told ?? "an untrained baseline"
      baseline = (loss, "\(brief(loss)) in validation: \(meaning)")
    }
    return charts("loss", "loss", baseline: baseline)
  }

  private var metricKeys: [String] {
    runs.flatMap(\.metricKeys).withoutRepeats
  }

  private var metricCharts: [LineChart] {
    metricKeys.flatMap { charts($0, MetricName.shown($0)) }
  }

  private var gradientCharts: [LineChart] {
    func training(_ key: String) -> [ChartSeries] {
      runs.enumerated().map { index, run in
        ChartSeries(
          label: run.label, points: run.curve(key, validation: false, by: .step), number: index,
          style: .plain)
      }
    }
    // A constant rate is not drawn: it is in the configuration.
    let rates = training("learning_rate").filter { Set($0.points.map(\.y)).count > 1 }
    return [
      LineChart(
        "norm of the gradient", x: ChartAxis.step.label, y: "norm, before clipping",
        training("gradient_norm")),
      LineChart("learning rate", x: ChartAxis.step.label, y: "learning rate", rates),
      ProbeCurve.chart(of: gradients) { index in
        runs.firstIndex { $0.label == gradients[index].label } ?? index
      },
    ]
  }

  // MARK: Tables

  private func text(_ value: Double?, key: String) -> String {
    guard let value else { return "–" }
    return MetricName.isPercentage(key) ? String(format: "%.2f %%", 100 * value) : brief(value)
  }

  private var resultTable: String {
    let keys = ["loss"] + metricKeys
    let names = keys.map(MetricName.shown)
    let rows = runs.enumerated().map { index, run in
      let best = run.best
      let test = run.test
      let texts =
        [run.standing, best.map { "\($0.epoch)" } ?? "–"]
        + keys.map { text(best?.values[$0], key: $0) }
        + keys.map { text($0 == "loss" ? test?.loss : test?.metrics[$0], key: $0) }
        + [text(test?.chanceLoss, key: "loss"), run.speed.map { brief($0, digits: 3) } ?? "–"]
      return [.markup(swatch(index) + escapeHTML(run.label))] + texts.map(HTMLCell.text)
    }
    let head =
      ["run", "stands at", "best epoch"] + names.map { "validation \($0)" }
      + names.map { "test \($0)" } + ["test baseline loss", "sequences/s"]
    return htmlTable(
      head.map(HTMLCell.text),
      rows, numeric: Set(2..<5 + 2 * keys.count), isStacked: true)
      + (runs.contains { $0.test == nil }
        ? "<p class=\"quiet\">Test figures appear after <code>momentum-dist evaluate RUN</code>, "
          + "which uses the checkpoint that was best on validation.</p>" : "")
  }

  private var sweepSections: String {
    sweeps.map { path, record in
      let name = DurableFiles.lastName(of: path)
      return section(
        "Sweep \(escapeHTML(name))",
        sweepTable(record) + ParallelCoordinates(record).html)
    }.joined(separator: "\n")
  }

  private func sweepTable(_ record: SweepRecord) -> String {
    let rows = record.rows { text($0, key: $1) }.map { $0.map(HTMLCell.text) }
    return htmlTable(
      rows[0], Array(rows.dropFirst()), numeric: Set(2..<rows[0].count), isStacked: true)
  }

  private var seedTable: String {
    series.map { path, summary in
      "<p>\(escapeHTML(DurableFiles.lastName(of: path))), \(summary.seeds.count) seeds: "
        + escapeHTML(summary.text) + "</p>"
    }.joined(separator: "\n")
  }

  /// The errors of several values on the test part, a column for each run.
  private var valueErrorSection: String {
    let measured = runs.filter { $0.test?.valueErrors?.isEmpty == false }
    let names = measured.flatMap { $0.test?.valueErrors ?? [] }.map(\.name).withoutRepeats
    guard !names.isEmpty else { return "" }
    let rows = names.map { name in
      [HTMLCell.text(name)]
        + measured.map { run in
          let error = run.test?.valueErrors?.first { $0.name == name }
          return .text(text(error?.mae, key: "mae"))
        }
    }
    return section(
      "Mean absolute error of each value of the test part",
      htmlTable(
        ["value"] + measured.map { .text($0.label) }, rows, numeric: Set(1...measured.count)))
  }

  private var forecastSections: String {
    runs.compactMap { run in
      guard let record = run.test, let figure = ForecastFigure(record) else { return nil }
      return section("Forecasts of the test part: \(escapeHTML(run.label))", figure.html)
    }.joined(separator: "\n")
  }

  private var confusionSections: String {
    runs.compactMap { run in
      guard let record = run.test, let figure = ConfusionFigure(record) else { return nil }
      return section(
        "Confusion on the test set: \(escapeHTML(run.label))",
        "<p class=\"quiet\">\(record.sequences) sequences, step \(record.step), the "
          + "\(escapeHTML(record.checkpoint)) checkpoint\(scores(record)).</p>" + figure.html)
    }.joined(separator: "\n")
  }

  /// Scores that show whether rare classes are learned, next to the scores of always answering the
  /// most frequent class.
  private func scores(_ record: EvaluationRecord) -> String {
    let keys = ["macro_f1", "balanced_accuracy", "auc", "top_5_accuracy"]
    let known = keys.compactMap { key in
      record.metrics[key].map { "\(MetricName.shown(key)) \(text($0, key: key))" }
    }
    let majority = ConfusionFigure(record)?.majority.map {
      "; always \(escapeHTML($0)) of the answers"
    }
    return known.isEmpty ? "" : ": " + known.joined(separator: ", ") + (majority ?? "")
  }

  /// The differences between the runs; for one run, the differences from the defaults.
  private var configurationTable: String {
    let listings = runs.map { run -> [String: String]? in
      run.configuration.map {
        Dictionary($0.map { ($0.path, $0.value) }, uniquingKeysWith: { $1 })
      }
    }
    let rows = defaults.compactMap { key -> [HTMLCell]? in
      let values = listings.map { $0?[key.path] }
      let known = Set(values.compactMap { $0 })
      let isNews = runs.count == 1 ? known != [key.value] : known.count > 1
      guard isNews, !known.isEmpty else { return nil }
      return [.markup("<code>\(escapeHTML(key.path))</code>")] + values.map { .text($0 ?? "–") }
    }
    let note =
      runs.count == 1
      ? "Keys that differ from their defaults." : "Keys that differ between the runs."
    guard !rows.isEmpty else {
      return
        "<p class=\"quiet\">\(runs.count == 1 ? "All keys are at their defaults." : "The configurations are equal.")</p>"
    }
    return "<p class=\"quiet\">\(note)</p>"
      + htmlTable(["key"] + runs.map { .text($0.label) }, rows)
  }
}

extension [String] {
  /// The distinct elements, in the order of their first occurrence.
  fileprivate var withoutRepeats: [String] {
    var seen = Set<String>()
    return filter { seen.insert($0).inserted }
  }
}
