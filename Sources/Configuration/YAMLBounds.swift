// SPDX-License-Identifier: Apache-2.0

import Files

/// Limits on the time and memory for reading a configuration. They are checked before the text is
/// parsed, because a parser follows references to references, and a few hundred bytes could expand
/// beyond any memory.
enum YAMLBounds {
  static let mostBytes = 1 << 20
  /// The largest number of references. This many expand a text at most about twentyfold.
  static let mostReferences = 8
  static let mostKeys = 10_000
  static let longestKey = 200

  /// Refuses a text that is too long or refers to parts of itself too often.
  ///
  /// A reference is a `*` before a name, at the start of a word, but not in comments or quoted
  /// values.
  static func check(_ yaml: String, path: String) throws(ConfigurationError) {
    guard yaml.utf8.count <= mostBytes else {
      throw ConfigurationError(
        "\(path): has more than \(mostBytes) bytes; name a YAML file, see configs/ for examples")
    }
    guard references(in: yaml) > mostReferences else { return }
    let count = references(in: withoutTexts(yaml))
    guard count <= mostReferences else {
      throw ConfigurationError(
        "\(path): has \(count) references (*name) to its own parts, more than"
          + " \(mostReferences); write those parts out")
    }
  }

  /// An upper bound of the references in a text: those in comments and in quotes are counted too.
  private static func references(in yaml: String) -> Int {
    var count = 0
    var before = UInt8(ascii: " ")
    for byte in yaml.utf8 {
      if before == UInt8(ascii: "*"), byte > 0x20, byte != UInt8(ascii: "/") { count += 1 }
      before = startsWord(before) || byte != UInt8(ascii: "*") ? byte : UInt8(ascii: "x")
    }
    return count
  }

  /// A YAML text without its comments and without the quoted values that end on their line.
  ///
  /// Only text that every parser treats as quoted or as a comment is removed. A quote after a colon
  /// and a blank always begins a quoted value, and one after a letter or digit never does.
  /// Everything after any other quote, or after a quoted value that does not end on its line, is
  /// kept.
  static func withoutTexts(_ yaml: String) -> String {
    var result = String.UnicodeScalarView()
    var rest = yaml.unicodeScalars[...]
    var before: Unicode.Scalar = "\n"
    var isAfterColon = false
    while let scalar = rest.first {
      switch scalar {
      case "#" where isBlank(before) || isBreak(before):
        rest = rest.drop(while: { !isBreak($0) })
        continue
      case "'", "\"":
        if isLetterOrDigit(before) { break }
        guard isAfterColon, let end = endOfQuoted(rest) else {
          result.append(contentsOf: rest)
          return String(result)
        }
        rest = rest[end...]
      default: break
      }
      rest = rest.dropFirst()
      result.append(scalar)
      isAfterColon = isBlank(scalar) && (isAfterColon || before == ":")
      before = scalar
    }
    return String(result)
  }

  /// The place of the closing quote of a text that starts with the opening one; nil if it is not on
  /// the same line.
  private static func endOfQuoted(
    _ text: Substring.UnicodeScalarView
  ) -> Substring.UnicodeScalarView.Index? {
    guard let quote = text.first else { return nil }
    var index = text.index(after: text.startIndex)
    while index < text.endIndex, !isBreak(text[index]) {
      let next = text.index(after: index)
      let isLast = next == text.endIndex
      if text[index] == quote {
        // Two single quotes in a row stand for one.
        guard quote == "'", !isLast, text[next] == quote else { return index }
        index = text.index(after: next)
      } else if text[index] == "\\", quote == "\"" {
        guard !isLast, !isBreak(text[next]) else { return nil }
        index = text.index(after: next)
      } else {
        index = next
      }
    }
    return nil
  }

  private static func isBlank(_ scalar: Unicode.Scalar) -> Bool { scalar == " " || scalar == "\t" }

  /// Whether a line ends here, for a parser of YAML 1.1.
  private static func isBreak(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x0a, 0x0d, 0x85, 0x2028, 0x2029, 0: true
    default: false
    }
  }

  private static func isLetterOrDigit(_ scalar: Unicode.Scalar) -> Bool {
    scalar.isASCII && (scalar.properties.isAlphabetic || "0"..."9" ~= scalar)
  }

  /// Whether a word may begin after this byte: not after letters, digits and characters of paths.
  private static func startsWord(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "/"),
      UInt8(ascii: "."), UInt8(ascii: "*"):
      false
    default: true
    }
  }

  /// Refuses a key that is longer than every known key: finding the nearest known one takes time
  /// that grows with the length.
  static func check(key: String, place: String) throws(ConfigurationError) {
    guard key.utf8.count > longestKey else { return }
    throw ConfigurationError(
      "\(place): a key of \(key.utf8.count) bytes, \"\(String(key.prefix(40)).visible)...\"; keys have"
        + " at most \(longestKey), and train --list-keys prints them all")
  }
}
