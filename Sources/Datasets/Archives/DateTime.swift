// SPDX-License-Identifier: Apache-2.0

/// Dates as numbers of seconds.
enum DateTime {
  /// The seconds of a date, of a time of day, or of both, counted from a moment that is the same
  /// for all texts of one form: `2024-05-31`, `2024-05-31 12:00`, `2024/05/31T12:00:00.5Z`,
  /// `12:00:01`.
  ///
  /// A time zone at the end is ignored, so it must be the same for all times that are compared.
  ///
  /// - Returns: nil for any other text
  static func seconds(_ text: ArraySlice<UInt8>) -> Double? {
    var fields = Fields(text)
    var days = 0
    if let year = fields.number(digits: 4) {
      guard fields.skip("-/."), let month = fields.number(digits: 2), 1...12 ~= month,
        fields.skip("-/."), let day = fields.number(digits: 2), 1...31 ~= day
      else { return nil }
      days = Self.days(year: year, month: month, day: day)
      if fields.isAtEnd { return 86_400 * Double(days) }
      guard fields.skip(" Tt") else { return nil }
    }
    guard let hours = fields.number(digits: 2), 0...24 ~= hours, fields.skip(":"),
      let minutes = fields.number(digits: 2), 0...59 ~= minutes
    else { return nil }
    var seconds = 0.0
    if fields.skip(":") {
      guard let whole = fields.number(digits: 2), 0...60 ~= whole else { return nil }
      seconds = Double(whole) + fields.fraction()
    }
    guard fields.isZone else { return nil }
    return 86_400 * Double(days) + Double(3600 * hours + 60 * minutes) + seconds
  }

  /// Days since 1 March of the year 0 (Gregorian). In this count a leap day is the last day of its
  /// year.
  private static func days(year: Int, month: Int, day: Int) -> Int {
    let y = month > 2 ? year : year - 1
    let m = (month + 9) % 12
    return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1
  }

  /// The part of a text that is not yet read.
  private struct Fields {
    private var rest: ArraySlice<UInt8>

    init(_ text: ArraySlice<UInt8>) { rest = text }

    var isAtEnd: Bool { rest.isEmpty }

    /// Whether only a time zone is left: Z, or a sign with digits and colons.
    var isZone: Bool {
      guard let first = rest.first else { return true }
      if rest.count == 1 { return first == UInt8(ascii: "Z") || first == UInt8(ascii: "z") }
      return (first == UInt8(ascii: "+") || first == UInt8(ascii: "-"))
        && rest.dropFirst().allSatisfy { 0x30...0x3a ~= $0 }
    }

    /// Reads a number of exactly this many digits.
    mutating func number(digits: Int) -> Int? {
      let found = rest.prefix { 0x30...0x39 ~= $0 }
      guard found.count == digits else { return nil }
      rest = rest.dropFirst(digits)
      return found.reduce(0) { 10 * $0 + Int($1) - 0x30 }
    }

    /// Reads one of these characters, if it is next.
    mutating func skip(_ characters: String) -> Bool {
      guard let next = rest.first, characters.utf8.contains(next) else { return false }
      rest = rest.dropFirst()
      return true
    }

    /// Reads the digits after a decimal sign; 0 if there are none.
    mutating func fraction() -> Double {
      guard skip(".,") else { return 0 }
      var (value, unit) = (0.0, 0.1)
      for digit in rest.prefix(while: { 0x30...0x39 ~= $0 }) {
        value += unit * Double(digit - 0x30)
        unit /= 10
        rest = rest.dropFirst()
      }
      return value
    }
  }
}
