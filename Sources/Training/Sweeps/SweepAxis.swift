// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A key of a configuration and the values that a sweep tries for it.
///
///     model.cell=lstm,momentum_lstm             these
///     model.hidden_size=32..256                 whole numbers in the range, uniform
///     optimizer.learning_rate=1e-4..1e-2:log    numbers in the range, uniform in the logarithm
public struct SweepAxis: Sendable, Equatable {
  /// The key that the axis varies.
  public let key: String
  let values: Values

  enum Values: Sendable, Equatable {
    case list([String])
    case range(low: Double, high: Double, isLogarithmic: Bool, isWhole: Bool)
  }

  /// - Throws: `RunFailure` of status `usage` if the text has none of the three forms
  public init(_ text: String) throws(RunFailure) {
    func refuse(_ problem: String) -> RunFailure {
      RunFailure(.usage, "--sweep \(text): \(problem)")
    }
    guard let equals = text.firstIndex(of: "="), equals > text.startIndex else {
      throw refuse("give key=a,b,c or key=low..high, as in model.hidden_size=32,64")
    }
    key = String(text[..<equals])
    let given = String(text[text.index(after: equals)...])
    func isNumber(_ text: some StringProtocol) -> Bool { Double(String(text)) != nil }
    let dots = given.range(of: "..").flatMap { dots in
      // A path may have dots as well: ../a.h5.
      isNumber(given[..<dots.lowerBound])
        || isNumber(given[dots.upperBound...].prefix { $0 != ":" }) ? dots : nil
    }
    guard let dots else {
      let ends = given.split(separator: ":", omittingEmptySubsequences: false)
      if ends.count == 2, ends.allSatisfy({ isNumber($0) }) {
        let (a, b) = (Double(ends[0])!, Double(ends[1])!)
        let range = a <= b ? "\(ends[0])..\(ends[1])" : "\(ends[1])..\(ends[0])"
        throw refuse("write a range with two dots, as in \(key)=\(range)")
      }
      let list = Self.split(given)
      guard list.allSatisfy({ !$0.isEmpty }) else { throw refuse("a value is empty") }
      guard Set(list).count == list.count else { throw refuse("a value is given twice") }
      values = .list(list)
      return
    }
    let low = String(given[..<dots.lowerBound])
    var high = String(given[dots.upperBound...])
    let isLogarithmic = high.hasSuffix(":log")
    if isLogarithmic { high.removeLast(4) }
    guard let first = Double(low), let last = Double(high), first.isFinite, last.isFinite else {
      throw refuse("low and high must be numbers, as in 1e-4..1e-2:log")
    }
    guard first < last else { throw refuse("the first number must be the lower one") }
    guard max(abs(first), abs(last)) <= Self.largest else {
      throw refuse("the numbers must be within \(Int(Self.largest)), or be given one by one")
    }
    guard !isLogarithmic || first > 0 else {
      throw refuse("the numbers must be above 0 with :log")
    }
    values = .range(
      low: first, high: last, isLogarithmic: isLogarithmic,
      isWhole: Int(low) != nil && Int(high) != nil)
  }

  /// Whole numbers up to here are exact as a Double: 2^53.
  private static let largest = 9_007_199_254_740_992.0

  /// Splits at commas that are not within brackets.
  private static func split(_ text: String) -> [String] {
    var (parts, depth) = ([""], 0)
    for character in text {
      switch character {
      case "[", "{": depth += 1
      case "]", "}": depth -= 1
      case "," where depth == 0:
        parts.append("")
        continue
      default: break
      }
      parts[parts.count - 1].append(character)
    }
    return parts
  }

  /// The number of values; nil for a range.
  var count: Int? {
    switch values {
    case .list(let list): list.count
    case .range: nil
    }
  }

  /// The value at a fraction of the range, in 0 ..< 1. Numbers have four significant digits, to
  /// keep a configuration readable.
  func value(at share: Double) -> String {
    switch values {
    case .list(let list):
      return list[min(Int(share * Double(list.count)), list.count - 1)]
    case .range(let low, let high, let isLogarithmic, let isWhole):
      if isWhole {
        // Every number has the same probability, including the two ends.
        let (a, b) = (low - 0.5, high + 0.5)
        let place = isLogarithmic && a > 0 ? a * pow(b / a, share) : a + (b - a) * share
        return String(Int(min(max(place.rounded(), low), high)))
      }
      let place = isLogarithmic ? low * pow(high / low, share) : low + (high - low) * share
      let text = String(format: "%.4g", place)
      // Rounded, it may be just outside.
      return (low...high).contains(Double(text) ?? .nan) ? text : "\(min(max(place, low), high))"
    }
  }
}
