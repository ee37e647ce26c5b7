// SPDX-License-Identifier: Apache-2.0

extension StringProtocol {
  /// The text on one line, with escapes such as `\n` or `\u{1b}` for control characters and for
  /// characters that change the order or visibility of those around them.
  ///
  /// All text from files (names, attributes, keys, paths) passes through this before it goes to a
  /// terminal, a log or a page. Text without such characters is returned unchanged.
  public var visible: String {
    guard unicodeScalars.contains(where: \.isHiddenOrActive) else { return String(self) }
    var result = ""
    for scalar in unicodeScalars {
      switch scalar {
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      case _ where scalar.isHiddenOrActive:
        result += "\\u{" + String(scalar.value, radix: 16) + "}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}

extension Unicode.Scalar {
  /// Whether it is a control character (C0, C1, DEL), ends a line, changes the direction of writing
  /// or is invisible. The joiners of Persian, Indic and emoji spellings are allowed.
  public var isHiddenOrActive: Bool {
    if isASCII { return value < 0x20 || value == 0x7f }
    if value == 0x200c || value == 0x200d { return false }
    switch properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate: return true
    default: return false
    }
  }
}
