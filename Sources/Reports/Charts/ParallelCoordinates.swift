// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The finished trials of a sweep as lines across an axis for every key and one for the result. The
/// figure shows which values went with good results.
///
/// Inselberg, "The plane with parallel coordinates", The Visual Computer 1, 1985.
struct ParallelCoordinates {
  private let axes: [Axis]
  private let lines: [Line]

  /// A key or the result.
  private struct Axis {
    let title: String
    /// The height of each trial's value, from 0 at the bottom to 1; nil if the trial has none.
    let heights: [Double?]
    /// The labels of the axis, and their heights.
    let marks: [(height: Double, text: String)]
  }

  private struct Line {
    let trial: Int
    /// From 0, the best, to 1.
    let rank: Double
  }

  private let width = 900.0
  private let top = 44.0
  private let bottom = 300.0

  init(_ record: SweepRecord) {
    let settings = record.keys.enumerated().map { index, key in
      Self.axis(
        key,
        record.trials.map { trial in
          trial.settings.indices.contains(index) ? trial.settings[index].value : ""
        })
    }
    // A dropped trial has trained for fewer epochs, so its result is not comparable.
    let results = record.trials.indices.map { trial in
      record.trials[trial].state == .finished ? record.metricValue(trial) : nil
    }
    axes = settings + [Self.axis("best \(record.metric)", numbers: results, isLogarithmic: false)]
    let ranking = record.ranking.filter { results[$0] != nil }
    // The best line is drawn last, on top.
    lines = ranking.enumerated().reversed().map { rank, trial in
      Line(trial: trial, rank: Double(rank) / Double(max(ranking.count - 1, 1)))
    }
  }

  /// The axis of a key. Numbers have proportional heights, and names have even distances.
  private static func axis(_ key: String, _ values: [String]) -> Axis {
    let numbers = values.compactMap(Double.init).filter(\.isFinite)
    if numbers.count == values.count, let low = numbers.min(), let high = numbers.max() {
      return axis(key, numbers: numbers, isLogarithmic: low > 0 && high / low > 30)
    }
    let names = Set(values).sorted()
    let heights = names.indices.map { index in
      names.count > 1 ? Double(index) / Double(names.count - 1) : 0.5
    }
    return Axis(
      title: key,
      heights: values.map { value in names.firstIndex(of: value).map { heights[$0] } },
      marks: Array(zip(heights, names).prefix(12)))
  }

  private static func axis(_ title: String, numbers: [Double?], isLogarithmic: Bool) -> Axis {
    let known = Set(numbers.compactMap { $0 }).sorted()
    guard let low = known.first, let high = known.last else {
      return Axis(title: title, heights: numbers, marks: [])
    }
    func height(_ value: Double) -> Double {
      guard high > low else { return 0.5 }
      return isLogarithmic ? log(value / low) / log(high / low) : (value - low) / (high - low)
    }
    let marked = known.count <= 8 ? known : [low, high]
    return Axis(
      title: title, heights: numbers.map { $0.map(height).flatMap { $0.isFinite ? $0 : nil } },
      marks: marked.map { (height($0), String(format: "%.4g", $0)) }.filter(\.0.isFinite))
  }

  /// The figure as an element of an HTML page; empty if no trial has finished.
  var html: String {
    guard !lines.isEmpty, axes.count > 1 else { return "" }
    return """
      <figure class="wide"><svg viewBox="0 0 \(pixel(width)) 330" role="img">
      <title>parallel coordinates of the finished trials</title>
      \(lines.map(path).joined(separator: "\n"))
      \(axes.indices.map(drawn).joined(separator: "\n"))
      </svg></figure>
      """
  }

  private func pixel(_ value: Double) -> String { String(format: "%.1f", value) }

  private func x(_ axis: Int) -> Double {
    80 + (width - 180) * Double(axis) / Double(axes.count - 1)
  }

  private func y(_ height: Double) -> Double { bottom - height * (bottom - top) }

  /// The line of a trial: the better the trial, the stronger the line.
  private func path(_ line: Line) -> String {
    let points = axes.enumerated().compactMap { index, axis in
      axis.heights[line.trial].map { "\(pixel(x(index))) \(pixel(y($0)))" }
    }
    return "<path class=\"plain c\(line.rank == 0 ? 1 : 0)\""
      + " opacity=\"\(pixel(1 - 0.8 * line.rank))\" d=\"M\(points.joined(separator: "L"))\">"
      + "<title>\(SweepRecord.name(trial: line.trial))</title></path>"
  }

  /// The marks whose labels do not overlap: the ends first, then those with room between them.
  private func readable(
    _ marks: [(height: Double, text: String)]
  ) -> [(height: Double, text: String)] {
    let sorted = marks.sorted { $0.height < $1.height }
    guard let first = sorted.first, let last = sorted.last, sorted.count > 1 else { return sorted }
    var kept = [last]
    for mark in [first] + sorted.dropFirst().dropLast()
    where kept.allSatisfy({ abs(y($0.height) - y(mark.height)) >= 20 }) {
      kept.append(mark)
    }
    return kept
  }

  private func drawn(_ index: Int) -> String {
    let (axis, x) = (axes[index], x(index))
    let marks = readable(axis.marks).map { mark in
      "<text class=\"mark\" x=\"\(pixel(x + 6))\" y=\"\(pixel(y(mark.height) + 4))\">"
        + "\(escapeHTML(mark.text))</text>"
    }
    return "<line class=\"axis\" x1=\"\(pixel(x))\" y1=\"\(pixel(top))\" x2=\"\(pixel(x))\""
      + " y2=\"\(pixel(bottom))\"/><text class=\"label\" x=\"\(pixel(x))\" y=\"24\""
      + " text-anchor=\"middle\">\(escapeHTML(axis.title))</text>" + marks.joined()
  }
}
