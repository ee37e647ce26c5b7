// SPDX-License-Identifier: Apache-2.0

/// How often numbers fall into bins of one width, from the smallest number to the largest.
///
///     bin b = [low + b w, low + (b + 1) w),   w = (high - low) / 30;   high belongs to the last bin
///
/// Numbers that are all equal are in the last bin of a range of width 1 about them, as in
/// TensorFlow's own summaries. Numbers that are not finite are left out.
package struct Histogram: Equatable {
  /// The number of bins of equal width.
  package static let bins = 30

  /// The start of the first bin.
  package let low: Double
  /// The end of the last bin.
  package let high: Double
  /// How many numbers are in each bin.
  package private(set) var counts = [Double](repeating: 0, count: bins)

  /// Nil if no number is finite.
  package init?(_ numbers: some Collection<Float>) {
    var (least, most) = (Float.infinity, -Float.infinity)
    for number in numbers where number.isFinite {
      least = min(least, number)
      most = max(most, number)
    }
    guard least <= most else { return nil }
    guard least < most else {
      (low, high) = (Double(least) - 0.5, Double(least) + 0.5)
      counts[Self.bins - 1] = Double(numbers.count { $0.isFinite })
      return
    }
    (low, high) = (Double(least), Double(most))
    let perUnit = Double(Self.bins) / (high - low)
    for number in numbers where number.isFinite {
      counts[min(Int((Double(number) - low) * perUnit), Self.bins - 1)] += 1
    }
  }

  /// Left edge, right edge and count of every bin, [30, 3].
  var rows: [Double] {
    let width = (high - low) / Double(Self.bins)
    return counts.enumerated().flatMap { bin, count in
      let right = bin == Self.bins - 1 ? high : low + Double(bin + 1) * width
      return [low + Double(bin) * width, right, count]
    }
  }
}
