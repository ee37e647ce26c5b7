// SPDX-License-Identifier: Apache-2.0

/// The forecasts of a run, drawn with the true values: a chart for each value of a step.
struct ForecastFigure {
  private let curves: ForecastCurves

  /// The largest number of charts that are drawn, because a record may be from any file.
  private static let mostCharts = 8

  init?(_ record: EvaluationRecord) {
    guard let curves = record.forecasts, !curves.steps.isEmpty, !curves.values.isEmpty else {
      return nil
    }
    self.curves = curves
  }

  /// The lines, and the number that selects the colour of each.
  private var kinds: [(name: String, number: Int, numbers: (ForecastCurves.Value) -> [Double])] {
    let all: [(name: String, number: Int, numbers: (ForecastCurves.Value) -> [Double])] = [
      ("series", 7, \.truth), ("repeating the last value", 4, \.persistence),
      ("mean of earlier seasons", 2, \.season), ("forecast", 0, \.forecast),
    ]
    return all.filter { kind in curves.values.contains { !kind.numbers($0).isEmpty } }
  }

  var html: String {
    let kinds = kinds
    let legend = kinds.map { kind in
      "<li><span class=\"swatch \(ChartStyle.colorClass(kind.number))\"></span>\(kind.name)</li>"
    }
    let charts = curves.values.prefix(Self.mostCharts).map { value in
      var chart = LineChart(
        value.name, x: "step of the test part", y: "",
        kinds.map { kind in
          ChartSeries(
            label: kind.name,
            points: zip(curves.steps, kind.numbers(value)).map {
              ChartPoint(x: Double($0), y: $1)
            },
            number: kind.number,
            style: ["series", "forecast"].contains(kind.name) ? .plain : .faint)
        }, isLogarithmic: false)
      chart.isWide = true
      return chart
    }.filter { !$0.isEmpty }.map(\.html)
    guard !charts.isEmpty else { return "" }
    let ahead =
      curves.horizon == 1
      ? "Each point is forecast one step ahead."
      : "Each window forecasts \(curves.horizon) steps at once, and the next window follows them."
    return """
      <ul class="legend">\(legend.joined())</ul>
      <p class="quiet">The first \(curves.steps.count) steps. \(ahead)</p>
      <div class="charts">
      \(charts.joined(separator: "\n"))
      </div>
      """
  }
}
