// SPDX-License-Identifier: Apache-2.0

import HDF5

/// The kind of tokens that a text is cut into.
public enum TextLevel: String, Sendable, CaseIterable {
  /// Words between white space, with `<eos>` at the end of each line.
  case word
  /// Unicode scalars, including the ends of lines.
  case character
}

/// The tokens of a language model by their numbers, 0 ..< count, in order of first appearance.
///
/// Tokens are compared by bytes: canonically equivalent texts with different bytes are two tokens.
public struct Vocabulary: Sendable, Equatable {
  /// What a token is: a word or a character.
  public let level: TextLevel
  /// The tokens by their numbers.
  public private(set) var tokens: [String] = []
  private var numbers: [ExactText: Int32] = [:]

  /// The end of a line, at word level.
  public static let endOfLine = "<eos>"
  /// The token for all tokens that the vocabulary does not have.
  public static let unknown = "<unk>"

  public init(level: TextLevel, tokens: [String] = []) {
    self.level = level
    for token in tokens { _ = add(token) }
  }

  /// V, the number of tokens.
  public var count: Int { tokens.count }

  public static func == (a: Vocabulary, b: Vocabulary) -> Bool {
    a.level == b.level && a.tokens.map { ExactText($0) } == b.tokens.map { ExactText($0) }
  }

  /// The number of a token; nil if the vocabulary does not have it.
  public func number(of token: String) -> Int32? { numbers[ExactText(token)] }

  /// The number of a token. A new token is added to the vocabulary.
  @discardableResult
  public mutating func add(_ token: String) -> Int32 {
    let key = ExactText(token)
    if let number = numbers[key] { return number }
    let number = Int32(tokens.count)
    numbers[key] = number
    tokens.append(token)
    return number
  }

  /// Cuts a text into tokens and passes them to `body` one by one.
  public func split(_ text: String, _ body: (String) -> Void) {
    switch level {
    case .character:
      for scalar in text.unicodeScalars { body(String(scalar)) }
    case .word:
      splitLines(text, body)
    }
  }

  private func splitLines(_ text: String, _ body: (String) -> Void) {
    let bytes = text.utf8
    var start: String.Index?  // of the current word
    var endsLine = true
    for index in bytes.indices {
      let byte = bytes[index]
      endsLine = byte == UInt8(ascii: "\n")
      let isSpace = byte == UInt8(ascii: " ") || (9...13).contains(byte)
      if isSpace {
        if let first = start { body(String(text[first..<index])) }
        start = nil
        if endsLine { body(Self.endOfLine) }
      } else if start == nil {
        start = index
      }
    }
    if let start { body(String(text[start...])) }
    if !endsLine { body(Self.endOfLine) }  // a last line without its end
  }

  /// The text of some tokens: words with spaces between them and line ends for `<eos>`, or
  /// characters as they are.
  public func text(_ numbers: some Sequence<Int32>) -> String {
    var text = ""
    for number in numbers {
      let token = tokens[Int(number)]
      switch level {
      case .character: text += token
      case .word:
        if token == Self.endOfLine {
          text += "\n"
        } else {
          text += (text.isEmpty || text.hasSuffix("\n") ? "" : " ") + token
        }
      }
    }
    return text
  }
}

extension Vocabulary {
  /// Writes the vocabulary: the UTF-8 bytes of all tokens, and the start of each.
  func write(to file: HDF5.File) throws {
    let bytes = tokens.flatMap { Array($0.utf8) }
    var offsets: [Int64] = [0]
    for token in tokens { offsets.append(offsets[offsets.count - 1] + Int64(token.utf8.count)) }
    try file.setAttribute("level", level.rawValue)
    try file.write(bytes, to: "vocabulary/text", shape: [bytes.count], fletcher32: true)
    try file.write(offsets, to: "vocabulary/offsets", shape: [offsets.count], fletcher32: true)
  }

  /// Reads the vocabulary of a data set file.
  ///
  /// - Throws: `DatasetError` if there is none, or if it is damaged
  init(_ file: HDF5.File, path: String) throws {
    let cure = "make it with `momentum-dist prepare text`"
    guard let level = TextLevel(rawValue: try file.stringAttribute("level") ?? ""),
      file.contains("vocabulary/text"), file.contains("vocabulary/offsets")
    else { throw DatasetError(path, "holds no text with a vocabulary", cure: cure) }
    for name in ["vocabulary/text", "vocabulary/offsets"] {
      try file.dataset(name).requireStored()
      try DatasetChecksums.check(name, in: file, path)
    }
    let bytes = try file.dataset("vocabulary/text").read(as: UInt8.self)
    let offsets = try file.dataset("vocabulary/offsets").read(as: Int64.self).map { Int($0) }
    guard offsets.count > 1, offsets.first == 0, offsets.last == bytes.count,
      zip(offsets, offsets.dropFirst()).allSatisfy({ $0 < $1 })
    else { throw DatasetError(path, "has a vocabulary with wrong offsets", cure: cure) }
    let tokens = zip(offsets, offsets.dropFirst()).map {
      String(decoding: bytes[$0..<$1], as: UTF8.self)
    }
    self.init(level: level, tokens: tokens)
    guard count == tokens.count else {
      throw DatasetError(path, "has a vocabulary that names a token twice", cure: cure)
    }
  }
}
