// SPDX-License-Identifier: Apache-2.0

/// A text that equals another only if both have the same bytes.
///
/// Swift's `String` compares by canonical equivalence, so that "é" as one scalar equals "e" with a
/// combining accent. In a data set these are two different words, characters or names, as for every
/// other program that reads the same file.
public struct ExactText: Hashable, Sendable {
  /// The text itself.
  public let text: String

  public init(_ text: some StringProtocol) {
    self.text = String(text)
  }

  public static func == (a: ExactText, b: ExactText) -> Bool {
    a.text.utf8.elementsEqual(b.text.utf8)
  }

  public func hash(into hasher: inout Hasher) {
    // Eight bytes at a time: a call for each byte would take most of the time of a lookup.
    var (word, count) = (UInt64(0), 0)
    for byte in text.utf8 {
      word = word << 8 | UInt64(byte)
      count += 1
      if count % 8 == 0 { hasher.combine(word) }
    }
    hasher.combine(word)
    hasher.combine(count)
  }
}

extension ExactText: Comparable {
  /// The order of `String`. Texts that `String` considers equal follow the order of their bytes.
  public static func < (a: ExactText, b: ExactText) -> Bool {
    a.text == b.text ? a.text.utf8.lexicographicallyPrecedes(b.text.utf8) : a.text < b.text
  }
}
