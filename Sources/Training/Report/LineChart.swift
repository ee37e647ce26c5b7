import Foundation

/// A point of a chart.
struct ChartPoint: Equatable {
  var x: Double
  var y: Double
}

/// A line of a chart.
struct ChartSeries {
  enum Style {
    /// Thin and pale: training, which jitters.
    case faint
    /// Thick, with its points marked: validation.
    case marked
    /// Thick.
    case plain
  }

  var label: String
  var points: [ChartPoint]
  /// Which of the page's colours.
  var color: Int
  var style: Style
}

/// Lines over two axes as an SVG element that takes its colours from the page.
struct LineChart {
  var title: String
  var xLabel: String
  var yLabel: String
  var series: [ChartSeries]
  /// A level to compare with, drawn as a broken line.
  var baseline: (y: Double, label: String)?
  /// Whether the y axis is logarithmic; nil lets the numbers tell.
  var isLogarithmic: Bool?

  // In pixels of the view box.
  private let width = 560.0
  private let height = 320.0
  private let left = 64.0
  private let right = 546.0
  private let top = 34.0
  private let bottom = 270.0
  /// More points than pixels make a larger page and no better line.
  private static let maximumPoints = 480

  init(
    _ title: String, x: String, y: String, _ series: [ChartSeries],
    baseline: (y: Double, label: String)? = nil, isLogarithmic: Bool? = nil
  ) {
    self.title = title
    xLabel = x
    yLabel = y
    self.series = series.filter { !$0.points.isEmpty }
    self.baseline = baseline
    self.isLogarithmic = isLogarithmic
  }

  /// Whether there is something to draw.
  var isEmpty: Bool { series.isEmpty }

  var svg: String {
    let scale = scale
    let lines = series.map { line($0, scale) }
    return """
      <figure><svg viewBox="0 0 \(pixel(width)) \(pixel(height))" role="img" \
      aria-label="\(escapeHTML(title))">
      <text class="title" x="\(pixel(left))" y="20">\(escapeHTML(title))</text>
      \((yAxis(scale) + xAxis(scale)).joined(separator: "\n"))
      \(level(scale))
      \(lines.joined(separator: "\n"))
      </svg></figure>
      """
  }

  /// How numbers become pixels.
  struct Scale {
    var x: ClosedRange<Double>
    var y: ClosedRange<Double>  // of the logarithm where that is drawn
    var isLogarithmic: Bool
  }

  private var scale: Scale {
    let all = series.flatMap(\.points)
    var values = all.map(\.y) + (baseline.map { [$0.y] } ?? [])
    let positive = values.filter { $0 > 0 }
    let isWide =
      positive.count == values.count && (positive.max() ?? 1) > 50 * (positive.min() ?? 1)
    let isLog = (isLogarithmic ?? isWide) && !positive.isEmpty
    if isLog { values = positive.map { log10($0) } }
    func padded(_ values: [Double], _ share: Double) -> ClosedRange<Double> {
      let (low, high) = (values.min() ?? 0, values.max() ?? 1)
      let pad = high > low ? (high - low) * share : max(abs(high) * 0.1, 0.5)
      return low - pad...high + pad
    }
    let xs = all.map(\.x)
    let (first, last) = (min(0, xs.min() ?? 0), xs.max() ?? 1)
    return Scale(
      x: first...(last > first ? last : first + 1), y: padded(values, 0.05), isLogarithmic: isLog)
  }

  private func x(_ value: Double, _ scale: Scale) -> Double {
    left + (right - left) * (value - scale.x.lowerBound)
      / (scale.x.upperBound - scale.x.lowerBound)
  }

  private func y(_ value: Double, _ scale: Scale) -> Double? {
    guard !scale.isLogarithmic || value > 0 else { return nil }
    let value = scale.isLogarithmic ? log10(value) : value
    return bottom - (bottom - top) * (value - scale.y.lowerBound)
      / (scale.y.upperBound - scale.y.lowerBound)
  }

  private func yAxis(_ scale: Scale) -> [String] {
    let ticks =
      scale.isLogarithmic ? Self.decades(scale.y) : Self.ticks(scale.y, about: 6)
    let marks = ticks.compactMap { tick -> String? in
      guard let y = y(tick, scale), y >= top - 1, y <= bottom + 1 else { return nil }
      return """
        <line class="grid" x1="\(pixel(left))" y1="\(pixel(y))" x2="\(pixel(right))" \
        y2="\(pixel(y))"/><text class="tick" x="\(pixel(left - 8))" y="\(pixel(y + 4))" \
        text-anchor="end">\(Self.number(tick))</text>
        """
    }
    let note = scale.isLogarithmic ? ", log scale" : ""
    return marks + [
      """
      <text class="label" transform="translate(15 \(pixel((top + bottom) / 2))) rotate(-90)" \
      text-anchor="middle">\(escapeHTML(yLabel + note))</text>
      """
    ]
  }

  private func xAxis(_ scale: Scale) -> [String] {
    let marks = Self.ticks(scale.x, about: 6).map { tick in
      """
      <line class="axis" x1="\(pixel(x(tick, scale)))" y1="\(pixel(bottom))" \
      x2="\(pixel(x(tick, scale)))" y2="\(pixel(bottom + 5))"/><text class="tick" \
      x="\(pixel(x(tick, scale)))" y="\(pixel(bottom + 19))" \
      text-anchor="middle">\(Self.number(tick))</text>
      """
    }
    return [
      """
      <line class="axis" x1="\(pixel(left))" y1="\(pixel(bottom))" x2="\(pixel(right))" \
      y2="\(pixel(bottom))"/>
      """
    ] + marks + [
      """
      <text class="label" x="\(pixel((left + right) / 2))" y="\(pixel(bottom + 40))" \
      text-anchor="middle">\(escapeHTML(xLabel))</text>
      """
    ]
  }

  private func level(_ scale: Scale) -> String {
    guard let baseline, let y = y(baseline.y, scale) else { return "" }
    return """
      <line class="level" x1="\(pixel(left))" y1="\(pixel(y))" x2="\(pixel(right))" \
      y2="\(pixel(y))"/><text class="tick" x="\(pixel(right))" y="\(pixel(y - 5))" \
      text-anchor="end">\(escapeHTML(baseline.label))</text>
      """
  }

  private func line(_ series: ChartSeries, _ scale: Scale) -> String {
    let points = Self.thinned(series.points).compactMap { point in
      y(point.y, scale).map { (x(point.x, scale), $0, point) }
    }
    guard let first = points.first else { return "" }
    // A line to where it starts makes a lone point a dot.
    let path =
      "M\(pixel(first.0)) \(pixel(first.1))L\(pixel(first.0)) \(pixel(first.1))"
      + points.dropFirst().map { "L\(pixel($0.0)) \(pixel($0.1))" }.joined()
    let name = escapeHTML(series.label)
    let line =
      "<path class=\"\(series.style) c\(series.color)\" d=\"\(path)\"><title>\(name)</title></path>"
    guard series.style == .marked, points.count <= 60 else { return line }
    let dots = points.map { x, y, point in
      """
      <circle class="c\(series.color)" cx="\(pixel(x))" cy="\(pixel(y))" r="2.6">\
      <title>\(name): \(brief(point.y)) at \(Self.number(point.x))</title></circle>
      """
    }
    return line + dots.joined()
  }

  /// At most so many points: each the mean of some that follow each other.
  static func thinned(_ points: [ChartPoint]) -> [ChartPoint] {
    let group = (points.count + maximumPoints - 1) / maximumPoints
    guard group > 1 else { return points }
    return stride(from: 0, to: points.count, by: group).map { start in
      let some = points[start..<min(start + group, points.count)]
      let count = Double(some.count)
      return ChartPoint(
        x: some.reduce(0) { $0 + $1.x } / count, y: some.reduce(0) { $0 + $1.y } / count)
    }
  }

  /// Round numbers in a range, about so many.
  static func ticks(_ range: ClosedRange<Double>, about count: Int) -> [Double] {
    let span = range.upperBound - range.lowerBound
    guard span > 0, span.isFinite else { return [range.lowerBound] }
    let raw = span / Double(count)
    let power = pow(10, log10(raw).rounded(.down))
    let step = [1, 2, 5, 10].map { $0 * power }.first { $0 >= raw } ?? 10 * power
    let (first, last) = (
      (range.lowerBound / step).rounded(.up), (range.upperBound / step).rounded(.down)
    )
    guard last >= first, last - first < 1000 else { return [range.lowerBound] }
    // A multiple of the step, so that it prints as the round number it is.
    return (Int(first)...Int(last)).map { Double($0) * step }
  }

  /// Powers of ten in a range of logarithms, with 2 and 5 between them where there are few.
  static func decades(_ range: ClosedRange<Double>) -> [Double] {
    let (low, high) = (Int(range.lowerBound.rounded(.down)), Int(range.upperBound.rounded(.up)))
    let step = max(1, (high - low + 7) / 8)
    let all = stride(from: low, through: high, by: step)
    guard high - low <= 3 else { return all.map { pow(10, Double($0)) } }
    return all.flatMap { decade in [1.0, 2, 5].map { $0 * pow(10, Double(decade)) } }
  }

  /// A tick's number: no more digits than it needs.
  static func number(_ value: Double) -> String {
    guard value != 0 else { return "0" }
    let size = abs(value)
    if size >= 1e6 || size < 1e-3 {
      let exponent = Int(log10(size).rounded(.down))
      let mantissa = value / pow(10, Double(exponent))
      return String(format: "%.3g", mantissa) + "e\(exponent)"
    }
    return String(format: "%.6g", value)
  }

  private func pixel(_ value: Double) -> String { String(format: "%.1f", value) }
}
