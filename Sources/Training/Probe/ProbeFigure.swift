import Files
import Foundation

/// The norm of dL/dh_t against t of one model, and how it came about.
public struct ProbeCurve: Encodable, Sendable {
  public var label: String
  public var cell: String
  public var mu: Double
  public var epsilon: Double
  public var beta: Double
  public var restart: Int
  public var hiddenSize: Int
  public var layers: Int
  public var inputs: Int
  public var steps: Int
  public var batch: Int
  public var seed: UInt64
  /// Where the sequences came from.
  public var data: String
  /// Where the parameters came from: a checkpoint's folder, or `initialisation`.
  public var parameters: String
  /// The mean loss of the sequences.
  public var loss: Double
  /// The mean norm at t = 1 ... T.
  public var norms: [Double]

  /// t = 1, T/4, T/2, 3T/4, T.
  public var landmarks: [Int] { (0...4).map { max(1, norms.count * $0 / 4) } }
}

/// Curves as an SVG figure that stands by itself: t to the right, log10 of the norm upwards.
public struct ProbeFigure {
  private let curves: [ProbeCurve]

  /// Okabe and Ito (2008): colours that are told apart with any colour vision.
  private static let palette = [
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000",
  ]
  /// What tells curves apart once the colours are used up.
  private static let dashes = ["", "8 4", "2 4", "8 4 2 4"]
  /// More points than pixels make a larger file and no better line.
  private static let maximumPoints = 1600

  // In pixels.
  private let width = 880.0
  private let left = 86.0
  private let right = 852.0
  private let plotHeight = 380.0
  private let legendRow = 22.0
  private var top: Double { 62 + Double(curves.count) * legendRow }
  private var bottom: Double { top + plotHeight }

  /// The decades at the ends of the y axis, and how many there are from one tick to the next.
  private let decades: (low: Int, high: Int, step: Int)
  /// The longest T.
  private let steps: Int

  public init(_ curves: [ProbeCurve]) {
    self.curves = curves
    steps = max(curves.map(\.norms.count).max() ?? 1, 1)
    let exponents = curves.flatMap(\.norms).filter { $0 > 0 }.map { log10($0) }
    let low = Int((exponents.min() ?? 0).rounded(.down))
    let high = max(Int((exponents.max() ?? 0).rounded(.up)), low + 1)
    let step = [1, 2, 5, 10, 20, 50].first { (high - low) / $0 <= 8 } ?? 100
    decades = (low, high, step)
  }

  /// Writes the figure to a file, whole or not at all.
  public func write(to path: String) throws(RunFailure) {
    do {
      try DurableFiles.write(svg, to: path)
    } catch {
      throw RunFailure(error)
    }
  }

  /// The figure.
  public var svg: String {
    let height = bottom + 66
    let title = "How the gradient of the loss vanishes back in time"
    let parts =
      [
        """
        <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(pixel(width)) \(pixel(height))" \
        width="\(pixel(width))" height="\(pixel(height))" role="img" \
        font-family="Helvetica, Arial, sans-serif" font-size="14" fill="#222222">
        <title>\(title)</title>
        <desc>Mean norm of dL/dh at each time step t, on a logarithmic axis.</desc>
        <rect width="100%" height="100%" fill="#ffffff"/>
        <text x="\(pixel(left))" y="34" font-size="19" font-weight="bold">\(title)</text>
        """
      ] + legend + yAxis + xAxis + curves.indices.map(path) + ["</svg>", ""]
    return parts.joined(separator: "\n")
  }

  /// A line of the legend per curve, with what the curve starts from.
  private var legend: [String] {
    curves.enumerated().map { index, curve in
      let y = 62 + Double(index) * legendRow
      let start = curve.norms.first.map { String(format: "%.1e at t = 1", $0) } ?? ""
      return """
        <line x1="\(pixel(left))" y1="\(pixel(y - 5))" x2="\(pixel(left + 34))" \
        y2="\(pixel(y - 5))" \(stroke(index))/>
        <text x="\(pixel(left + 44))" y="\(pixel(y))">\(escape(curve.label))\
        <tspan fill="#666666" dx="12">\(start)</tspan></text>
        """
    }
  }

  private var yAxis: [String] {
    let marked = (decades.low...decades.high).filter { $0 % decades.step == 0 }
    let ticks = marked.map { decade in
      let y = y(Double(decade))
      let exponent = decade < 0 ? "\u{2212}\(-decade)" : "\(decade)"
      return """
        <line x1="\(pixel(left))" y1="\(pixel(y))" x2="\(pixel(right))" y2="\(pixel(y))" \
        stroke="#e4e4e4"/>
        <text x="\(pixel(left - 34))" y="\(pixel(y + 5))" text-anchor="end">10</text>
        <text x="\(pixel(left - 33))" y="\(pixel(y - 1))" font-size="11">\(exponent)</text>
        """
    }
    let middle = (top + bottom) / 2
    return ticks + [
      """
      <text transform="translate(26 \(pixel(middle))) rotate(-90)" text-anchor="middle">\
      norm of dL/dh at step t</text>
      """
    ]
  }

  private var xAxis: [String] {
    let quarters = Set((0...4).map { max(1, steps * $0 / 4) }).sorted()
    let ticks = quarters.map { t in
      let x = x(t)
      return """
        <line x1="\(pixel(x))" y1="\(pixel(bottom))" x2="\(pixel(x))" y2="\(pixel(bottom + 6))" \
        stroke="#444444"/>
        <text x="\(pixel(x))" y="\(pixel(bottom + 23))" text-anchor="middle">\(t)</text>
        """
    }
    return [
      """
      <line x1="\(pixel(left))" y1="\(pixel(bottom))" x2="\(pixel(right))" \
      y2="\(pixel(bottom))" stroke="#444444"/>
      """
    ] + ticks + [
      """
      <text x="\(pixel((left + right) / 2))" y="\(pixel(bottom + 48))" \
      text-anchor="middle">time step t; the loss is at the end</text>
      """
    ]
  }

  /// The one path of a curve. Zeros have no logarithm and leave a gap.
  private func path(_ index: Int) -> String {
    let norms = curves[index].norms
    let skip = (norms.count + Self.maximumPoints - 1) / Self.maximumPoints
    var commands: [String] = []
    var isDrawing = false
    for t in 1...max(norms.count, 1) where (norms.count - t) % max(skip, 1) == 0 || t == 1 {
      guard t <= norms.count, norms[t - 1] > 0 else {
        isDrawing = false
        continue
      }
      let point = "\(pixel(x(t))) \(pixel(y(log10(norms[t - 1]))))"
      // A line to where it starts makes a lone point a dot.
      commands.append(isDrawing ? "L\(point)" : "M\(point)L\(point)")
      isDrawing = true
    }
    return """
      <path d="\(commands.joined())" fill="none" stroke-linejoin="round" stroke-linecap="round" \
      \(stroke(index))/>
      """
  }

  private func stroke(_ index: Int) -> String {
    let dash = Self.dashes[index / Self.palette.count % Self.dashes.count]
    let pattern = dash.isEmpty ? "" : " stroke-dasharray=\"\(dash)\""
    let colour = Self.palette[index % Self.palette.count]
    return "stroke=\"\(colour)\" stroke-width=\"2.4\"\(pattern)"
  }

  private func x(_ t: Int) -> Double {
    steps == 1 ? (left + right) / 2 : left + (right - left) * Double(t - 1) / Double(steps - 1)
  }

  private func y(_ exponent: Double) -> Double {
    bottom - plotHeight * (exponent - Double(decades.low)) / Double(decades.high - decades.low)
  }

  private func pixel(_ value: Double) -> String { String(format: "%.1f", value) }

  /// A label as XML text; control characters are not allowed in it.
  private func escape(_ text: String) -> String {
    String(String.UnicodeScalarView(text.unicodeScalars.filter { $0.value >= 0x20 }))
      .replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "<", with: "&lt;")
      .replacingOccurrences(of: ">", with: "&gt;")
  }
}
