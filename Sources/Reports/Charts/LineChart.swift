// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A point of a chart.
struct ChartPoint: Equatable {
  var x: Double
  var y: Double
}

/// A line of a chart.
struct ChartSeries {
  enum Style {
    /// Thin and pale, for training, which fluctuates.
    case faint
    /// Thick, with marked points, for validation.
    case marked
    /// Thick.
    case plain
  }

  var label: String
  var points: [ChartPoint]
  /// The number of this line, which chooses its colour and dashes.
  var number: Int
  var style: Style
  /// Text of the legend in addition to the label.
  var note = ""
}

/// Lines over two axes, drawn as SVG: on a page that has the `ChartStyle`, or as a separate figure.
struct LineChart {
  var title: String
  var xLabel: String
  var yLabel: String
  var series: [ChartSeries]
  /// A level to compare with, drawn as a broken line.
  var baseline: (y: Double, label: String)?
  /// Whether the y axis is logarithmic; nil decides by the numbers.
  var isLogarithmic: Bool?

  /// Whether it is as wide as the page.
  var isWide = false

  // In pixels of the view box.
  var width: Double { isWide ? 1140 : 560 }
  let height = 320.0
  let left = 70.0
  var right: Double { width - 14 }
  /// Below the heading and the lines about the level.
  var top: Double {
    34 + (levelLabel.isEmpty ? 0 : 3 + Self.labelHeight * Double(levelLabel.count))
  }
  let bottom = 270.0
  /// The height of a line about the level, with the larger letters of a narrow page.
  private static let labelHeight = 22.0

  init(
    _ title: String, x: String, y: String, _ series: [ChartSeries],
    baseline: (y: Double, label: String)? = nil, isLogarithmic: Bool? = nil
  ) {
    self.title = title
    xLabel = x
    yLabel = y
    self.series = series.compactMap { series in
      var drawn = series
      // A number that an axis cannot show leaves a gap.
      drawn.points.removeAll { !Self.canShow($0.x) || !Self.canShow($0.y) }
      return drawn.points.isEmpty ? nil : drawn
    }
    self.baseline = baseline.flatMap { Self.canShow($0.y) ? $0 : nil }
    self.isLogarithmic = isLogarithmic
  }

  /// Whether sums and differences of such numbers are also finite.
  private static func canShow(_ value: Double) -> Bool { abs(value) < 1e300 }

  /// Whether there is something to draw.
  var isEmpty: Bool { series.isEmpty }

  /// The chart as an element of an HTML page.
  var html: String {
    """
    <figure\(isWide ? " class=\"wide\"" : "")><svg viewBox="0 0 \(pixel(width)) \(pixel(height))" role="img" \
    aria-label="\(escapeHTML(title))">
    \(heading)
    \(plot)
    </svg></figure>
    """
  }

  var heading: String {
    "<text class=\"title\" x=\"\(pixel(left))\" y=\"20\">\(escapeHTML(title))</text>"
  }

  /// Axes and lines, below the heading.
  var plot: String {
    let scale = scale
    let parts = yAxis(scale) + xAxis(scale) + [level(scale)] + series.map { line($0, scale) }
    return parts.filter { !$0.isEmpty }.joined(separator: "\n")
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
      <text class="label upright" transform="translate(15 \(pixel((top + bottom) / 2))) rotate(-90)" \
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

  /// The broken line of the level. What it means is above the plot, where no curve runs through it.
  private func level(_ scale: Scale) -> String {
    guard let baseline, let y = y(baseline.y, scale) else { return "" }
    func line(_ from: Double, _ to: Double, _ y: Double) -> String {
      """
      <line class="level" x1="\(pixel(from))" y1="\(pixel(y))" x2="\(pixel(to))" \
      y2="\(pixel(y))"/>
      """
    }
    let first = 20 + Self.labelHeight
    let texts = levelLabel.enumerated().map { index, text in
      """
      <text class="tick" x="\(pixel(left + 38))" \
      y="\(pixel(first + Self.labelHeight * Double(index)))">\(escapeHTML(text))</text>
      """
    }
    return line(left, right, y) + line(left, left + 30, first - 5) + texts.joined()
  }

  /// The label of the level in at most three lines, which fit with the larger letters of a narrow
  /// page.
  private var levelLabel: [String] {
    guard let baseline else { return [] }
    let room = Int((right - left - 38) / 9)
    var lines: [String] = []
    for word in baseline.label.split(separator: " ").map(String.init) {
      if let last = lines.last, last.count + 1 + word.count <= room {
        lines[lines.count - 1] = "\(last) \(word)"
      } else {
        lines.append(word)
      }
    }
    return lines.count > 3 ? lines.prefix(2) + ["\(lines[2]) …"] : lines
  }

  /// Zeros have no logarithm and leave a gap.
  private func line(_ series: ChartSeries, _ scale: Scale) -> String {
    var path = ""
    var isDrawing = false
    var dots: [String] = []
    let name = escapeHTML(series.label)
    let points = Self.thinned(series.points)
    for point in points {
      guard let y = y(point.y, scale) else {
        isDrawing = false
        continue
      }
      let (column, row) = (pixel(x(point.x, scale)), pixel(y))
      // A line of length 0 draws a single point as a dot.
      path += isDrawing ? "L\(column) \(row)" : "M\(column) \(row)L\(column) \(row)"
      isDrawing = true
      dots.append(
        """
        <circle class="\(ChartStyle.lineClass(series.number))" cx="\(column)" cy="\(row)" r="2.6">\
        <title>\(name): \(brief(point.y)) at \(Self.number(point.x))</title></circle>
        """)
    }
    let classes = "\(series.style) \(ChartStyle.lineClass(series.number))"
    let line = "<path class=\"\(classes)\" d=\"\(path)\"><title>\(name)</title></path>"
    return series.style == .marked && points.count <= 60 ? line + dots.joined() : line
  }

  func pixel(_ value: Double) -> String { String(format: "%.1f", value) }
}
