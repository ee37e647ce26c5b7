import Files
import Foundation

/// One self-contained HTML page on one run, or on several side by side.
public struct ReportPage {
  private let runs: [RunRecord]
  /// The gradient's way back in time, of those runs for which it was asked and could be had.
  private let gradients: [ProbeCurve]
  /// Summaries over several seeds, by the folder they lie in.
  private let series: [(path: String, summary: SeedSummary)]
  private let made: Date

  public init(
    _ runs: [RunRecord], gradients: [ProbeCurve] = [],
    series: [(path: String, summary: SeedSummary)] = [], made: Date = Date()
  ) {
    self.runs = runs.withDistinctLabels()
    self.gradients = gradients
    self.series = series
    self.made = made
  }

  /// Writes the page, whole or not at all.
  public func write(to path: String) throws(RunFailure) {
    do {
      try DurableFiles.write(html, to: path)
    } catch {
      throw RunFailure(error)
    }
  }

  public var html: String {
    let title = runs.count == 1 ? runs[0].label : "\(runs.count) runs"
    let body = [
      legend, section("Results", resultTable + seedTable), section("Loss", figures(lossCharts)),
      section("Metrics", figures(metricCharts)), section("Gradients", figures(gradientCharts)),
      confusionSections, section("Configuration", configurationTable),
    ]
    return """
      <!DOCTYPE html>
      <html lang="en"><head><meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <title>\(escapeHTML(title)) - momentum-dist</title>
      <style>\(Self.style)</style></head><body>
      <h1>\(escapeHTML(title))</h1>
      <p class="quiet">momentum-dist \(programVersion), \(ISO8601DateFormatter().string(from: made))</p>
      \(body.joined(separator: "\n"))
      </body></html>

      """
  }

  private func section(_ title: String, _ content: String) -> String {
    content.isEmpty ? "" : "<h2>\(title)</h2>\n\(content)"
  }

  private func figures(_ charts: [LineChart]) -> String {
    let drawn = charts.filter { !$0.isEmpty }.map(\.svg)
    return drawn.isEmpty ? "" : "<div class=\"charts\">\n\(drawn.joined(separator: "\n"))\n</div>"
  }

  /// The colour of a run.
  private func color(_ index: Int) -> Int { index % Self.colors.count }

  private var legend: String {
    let names = runs.enumerated().map { index, run in
      "<li><span class=\"swatch b\(color(index))\"></span>\(escapeHTML(run.label))</li>"
    }
    return """
      <ul class="legend">\(names.joined())</ul>
      <p class="quiet">Pale lines are the training set, as means between two reports; strong lines \
      with dots are the validation set at the end of each epoch.</p>
      """
  }

  // MARK: Charts

  private func curves(_ key: String, byEpoch: Bool) -> [ChartSeries] {
    // Validation goes on top.
    [false, true].flatMap { isValidation in
      runs.enumerated().map { index, run in
        ChartSeries(
          label: run.label + (isValidation ? ", validation" : ", training"),
          points: run.curve(key, validation: isValidation, byEpoch: byEpoch), color: color(index),
          style: isValidation ? .marked : .faint)
      }
    }
  }

  private func pair(
    _ key: String, _ name: String, unit: String = "", baseline: (y: Double, label: String)? = nil
  ) -> [LineChart] {
    [false, true].map { byEpoch in
      LineChart(
        "\(name) by \(byEpoch ? "epoch" : "step")", x: byEpoch ? "epoch" : "optimizer step",
        y: name + unit, curves(key, byEpoch: byEpoch), baseline: baseline)
    }
  }

  private var lossCharts: [LineChart] {
    // The level of a model without knowledge, where it is the same for all.
    let levels = Set(runs.map { $0.test?.chanceLoss })
    var baseline: (y: Double, label: String)?
    if levels.count == 1, let loss = levels.first!, let meaning = runs[0].test?.chanceMeaning {
      baseline = (loss, "\(brief(loss)): \(meaning)")
    }
    return pair("loss", "loss", baseline: baseline)
  }

  private var metricKeys: [String] {
    let all = runs.flatMap(\.metricKeys)
    return all.enumerated().filter { all.firstIndex(of: $1) == $0 }.map(\.element)
  }

  private var metricCharts: [LineChart] {
    metricKeys.flatMap { pair($0, $0.replacingOccurrences(of: "_", with: " ")) }
  }

  private var gradientCharts: [LineChart] {
    let norms = runs.enumerated().map { index, run in
      ChartSeries(
        label: run.label, points: run.curve("gradient_norm", validation: false, byEpoch: false),
        color: color(index), style: .plain)
    }
    let flow = gradients.map { curve in
      ChartSeries(
        label: curve.label,
        points: curve.norms.enumerated().map { ChartPoint(x: Double($0 + 1), y: $1) },
        color: color(runs.firstIndex { $0.label == curve.label } ?? 0), style: .plain)
    }
    return [
      LineChart("norm of the gradient", x: "optimizer step", y: "norm, before clipping", norms),
      LineChart(
        "gradient flow back in time", x: "time step t; the loss is at the end", y: "norm of dL/dh",
        flow, isLogarithmic: true),
    ]
  }

  // MARK: Tables

  private func text(_ value: Double?, key: String) -> String {
    guard let value else { return "–" }
    return key == "accuracy" ? String(format: "%.2f %%", 100 * value) : brief(value)
  }

  private var resultTable: String {
    let keys = ["loss"] + metricKeys
    let names = keys.map { $0.replacingOccurrences(of: "_", with: " ") }
    let rows = runs.enumerated().map { index, run in
      let best = run.best
      let test = run.test
      return [
        "<span class=\"swatch b\(color(index))\"></span>\(escapeHTML(run.label))",
        escapeHTML(run.standing), best.map { "\($0.epoch)" } ?? "–",
      ] + keys.map { text(best?.values[$0], key: $0) }
        + keys.map { text($0 == "loss" ? test?.loss : test?.metrics[$0], key: $0) }
        + [run.speed.map { brief($0, digits: 3) } ?? "–"]
    }
    return htmlTable(
      ["run", "stands at", "best epoch"] + names.map { "validation \($0)" }
        + names.map { "test \($0)" } + ["sequences/s"],
      rows, numeric: Set(2..<4 + 2 * keys.count))
      + (runs.contains { $0.test == nil }
        ? "<p class=\"quiet\">Test figures appear after <code>momentum-dist evaluate RUN</code>, "
          + "which takes the checkpoint that was best on validation.</p>" : "")
  }

  private var seedTable: String {
    series.map { path, summary in
      "<p>\(escapeHTML((path as NSString).lastPathComponent)), \(summary.seeds.count) seeds: "
        + escapeHTML(summary.text) + "</p>"
    }.joined(separator: "\n")
  }

  private var confusionSections: String {
    runs.compactMap { run in
      guard let record = run.test, let figure = ConfusionFigure(record) else { return nil }
      return section(
        "Confusion on the test set: \(escapeHTML(run.label))",
        "<p class=\"quiet\">\(record.sequences) sequences, step \(record.step), the "
          + "\(escapeHTML(record.checkpoint)) checkpoint.</p>" + figure.html)
    }.joined(separator: "\n")
  }

  /// What differs between the runs; of one run, what differs from the defaults.
  private var configurationTable: String {
    let listings = runs.map { run -> [String: String]? in
      run.configuration.map {
        Dictionary(uniqueKeysWithValues: $0.keys.map { ($0.path, $0.value) })
      }
    }
    let order = TrainingConfiguration().keys
    let rows = order.compactMap { key -> [String]? in
      let values = listings.map { $0?[key.path] }
      let known = Set(values.compactMap { $0 })
      let isNews = runs.count == 1 ? known != [key.value] : known.count > 1
      guard isNews, !known.isEmpty else { return nil }
      return ["<code>\(key.path)</code>"] + values.map { escapeHTML($0 ?? "–") }
    }
    let note =
      runs.count == 1
      ? "Keys that are not at their defaults." : "Keys in which the runs differ."
    guard !rows.isEmpty else {
      return
        "<p class=\"quiet\">\(runs.count == 1 ? "All keys are at their defaults." : "The configurations are equal.")</p>"
    }
    return "<p class=\"quiet\">\(note)</p>"
      + htmlTable(["key"] + runs.map { escapeHTML($0.label) }, rows)
  }
}

extension ReportPage {
  /// Okabe and Ito (2008), which any colour vision tells apart: on white, and, lighter, on black.
  private static let colors: [(light: String, dark: String)] = [
    ("#0072b2", "#56a8e0"), ("#d55e00", "#ff8c42"), ("#009e73", "#3ccfa4"),
    ("#b3589a", "#e08fc4"), ("#a87900", "#e6b422"), ("#4b4bb8", "#9a9af5"),
    ("#7a4b2a", "#c99a78"), ("#555555", "#bbbbbb"),
  ]

  private static var style: String {
    func variables(_ pick: (Int) -> String) -> String {
      colors.indices.map { "--c\($0):\(pick($0));" }.joined()
    }
    let classes = colors.indices.map {
      ".c\($0){--c:var(--c\($0))}.b\($0){background:var(--c\($0))}"
    }
    return """
      :root{color-scheme:light dark;--ink:#1d1f23;--quiet:#63676f;--paper:#fff;--rule:#dfe1e5;\
      --right:#009e73;--wrong:#d55e00;\(variables { colors[$0].light })}
      @media (prefers-color-scheme:dark){:root{--ink:#e6e7ea;--quiet:#9a9ea8;--paper:#16181c;\
      --rule:#32363d;--right:#3ccfa4;--wrong:#ff8c42;\(variables { colors[$0].dark })}}
      body{font:15px/1.5 system-ui,"Helvetica Neue",Arial,sans-serif;color:var(--ink);\
      background:var(--paper);max-width:1180px;margin:0 auto;padding:24px 20px 60px}
      h1{font-size:26px;margin:0;overflow-wrap:anywhere}
      h2{font-size:19px;margin:36px 0 10px;overflow-wrap:anywhere}
      .quiet{color:var(--quiet);margin:4px 0 12px;font-size:14px}
      .legend{list-style:none;display:flex;flex-wrap:wrap;gap:4px 22px;padding:0;margin:18px 0 4px}
      .legend li{overflow-wrap:anywhere}
      .swatch{display:inline-block;width:22px;height:5px;border-radius:3px;margin-right:8px;\
      vertical-align:middle}
      .charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,440px),1fr));gap:14px 22px}
      figure{margin:0}svg{width:100%;height:auto;display:block}
      svg text{fill:var(--ink);font-size:13px}svg .title{font-size:15px;font-weight:600}
      svg .tick{fill:var(--quiet);font-size:12px}svg .label{fill:var(--quiet)}
      .grid{stroke:var(--rule)}.axis{stroke:var(--quiet)}
      .level{stroke:var(--quiet);stroke-dasharray:6 4}
      path{fill:none;stroke:var(--c);stroke-linejoin:round;stroke-linecap:round}
      path.faint{stroke-width:1.3;opacity:.55}path.marked,path.plain{stroke-width:2.2}
      circle{fill:var(--c)}
      .scroll{overflow-x:auto}
      table{border-collapse:collapse;font-size:14px;font-variant-numeric:tabular-nums}
      th,td{padding:5px 12px 5px 0;text-align:left;border-bottom:1px solid var(--rule);vertical-align:top}
      th{color:var(--quiet);font-weight:600}th.n,td.n{text-align:right;padding-left:12px;padding-right:6px}
      table.confusion td,table.confusion th{padding:4px 9px}
      td.right{background:color-mix(in srgb,var(--right) var(--d),transparent)}
      td.wrong{background:color-mix(in srgb,var(--wrong) var(--d),transparent)}
      code{font-size:13px}
      \(classes.joined())
      """
  }
}
