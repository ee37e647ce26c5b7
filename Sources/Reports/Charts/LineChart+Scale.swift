// SPDX-License-Identifier: Apache-2.0

import Foundation

extension LineChart {
  /// Converts numbers to pixels.
  struct Scale {
    var x: ClosedRange<Double>
    var y: ClosedRange<Double>  // of the logarithm if that is drawn
    var isLogarithmic: Bool
  }

  var scale: Scale {
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

  func x(_ value: Double, _ scale: Scale) -> Double {
    left + (right - left) * (value - scale.x.lowerBound)
      / (scale.x.upperBound - scale.x.lowerBound)
  }

  func y(_ value: Double, _ scale: Scale) -> Double? {
    guard !scale.isLogarithmic || value > 0 else { return nil }
    let value = scale.isLogarithmic ? log10(value) : value
    return bottom - (bottom - top) * (value - scale.y.lowerBound)
      / (scale.y.upperBound - scale.y.lowerBound)
  }

  /// The largest number of points of a line. More points than pixels would only make the page
  /// larger.
  private static let maximumPoints = 480

  /// At most `maximumPoints` points, each the mean of some consecutive ones.
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

  /// About `count` round numbers in a range.
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
    // A multiple of the step, so that it prints as a round number.
    return (Int(first)...Int(last)).map { Double($0) * step }
  }

  /// Powers of ten in a range of logarithms, with 2 and 5 between them if there are few.
  static func decades(_ range: ClosedRange<Double>) -> [Double] {
    let (low, high) = (Int(range.lowerBound.rounded(.down)), Int(range.upperBound.rounded(.up)))
    let step = [1, 2, 5, 10, 20, 50].first { (high - low) / $0 <= 8 } ?? 100
    let all = (low...high).filter { $0 % step == 0 }
    guard high - low <= 3 else { return all.map { pow(10, Double($0)) } }
    return all.flatMap { decade in [1.0, 2, 5].map { $0 * pow(10, Double(decade)) } }
  }

  /// A tick's number, with no more digits than needed.
  static func number(_ value: Double) -> String {
    guard value != 0 else { return "0" }
    guard value.isFinite else { return "\(value)" }
    let size = abs(value)
    if size >= 1e6 || size < 1e-3 {
      let exponent = Int(log10(size).rounded(.down))
      let mantissa = value / pow(10, Double(exponent))
      return String(format: "%.3g", mantissa) + "e\(exponent)"
    }
    return String(format: "%.6g", value)
  }
}
