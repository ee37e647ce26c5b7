// SPDX-License-Identifier: Apache-2.0

/// Reads the records of a table one by one. Fields follow RFC 4180: a field in double quotes may
/// contain separators, line ends, and quotes that are doubled.
///
/// This is our own code, because a library would return every field of the table as a string at
/// once. A table of MNIST's size has 47 million fields, and messages need the line of each record.
struct RecordScanner {
  /// The fields of a line, or of several lines if a quoted field contains line ends.
  struct Record {
    /// The line where it begins, from 1.
    var line: Int
    var fields: [ArraySlice<UInt8>]
  }

  private let bytes: [UInt8]
  private let path: String
  /// The separator between two fields; a space means any number of blanks.
  private let separator: UInt8
  private var index = 0
  private var line = 1
  /// The number of the next line.
  var lineNumber: Int { line }

  init(_ bytes: [UInt8], path: String, separator: Unicode.Scalar) {
    self.bytes = bytes
    self.path = path
    self.separator = UInt8(ascii: separator)
  }

  /// The next record that is not blank; nil at the end.
  mutating func next() throws(DatasetError) -> Record? {
    while index < bytes.count {
      let start = line
      let fields = try record()
      if fields.count > 1 || fields.contains(where: { !$0.isEmpty }) {
        return Record(line: start, fields: fields)
      }
    }
    return nil
  }

  /// Skips this many lines.
  ///
  /// - Returns: the fields of the last one
  mutating func skip(lines count: Int) throws(DatasetError) -> [ArraySlice<UInt8>]? {
    var last: [ArraySlice<UInt8>]?
    while line <= count, index < bytes.count { last = try record() }
    return last
  }

  private var isAtLineEnd: Bool { index == bytes.count || DecodedText.isLineEnd(bytes[index]) }

  private func isBlank(_ byte: UInt8) -> Bool {
    TextTable.isBlank(byte) && (byte != separator || separator == 0x20)
  }

  private mutating func skipBlanks() {
    while index < bytes.count, isBlank(bytes[index]) { index += 1 }
  }

  private mutating func endLine() {
    guard index < bytes.count else { return }
    let isPair = bytes[index] == 0x0d && index + 1 < bytes.count && bytes[index + 1] == 0x0a
    index += isPair ? 2 : 1
    line += 1
  }

  private mutating func record() throws(DatasetError) -> [ArraySlice<UInt8>] {
    var fields: [ArraySlice<UInt8>] = []
    skipBlanks()
    while true {
      if separator == 0x20, !fields.isEmpty, isAtLineEnd { break }
      fields.append(
        index < bytes.count && bytes[index] == UInt8(ascii: "\"") ? try quotedField() : plainField()
      )
      if isAtLineEnd { break }
      if separator != 0x20 { index += 1 }
      skipBlanks()
    }
    endLine()
    return fields
  }

  private mutating func plainField() -> ArraySlice<UInt8> {
    let start = index
    while !isAtLineEnd, bytes[index] != separator {
      if separator == 0x20, isBlank(bytes[index]) { break }
      index += 1
    }
    let field = TextTable.trim(bytes[start..<index])
    if separator == 0x20 { skipBlanks() }
    return field
  }

  private mutating func quotedField() throws(DatasetError) -> ArraySlice<UInt8> {
    let (quote, opening) = (UInt8(ascii: "\""), line)
    index += 1
    var content: [UInt8] = []
    var start = index
    while true {
      guard index < bytes.count else {
        throw DatasetError(
          "\(path):\(opening)", "a quote is opened and never closed",
          cure: "close it, or double a quote that is part of the text")
      }
      if bytes[index] == quote {
        content += bytes[start..<index]
        index += 1
        guard index < bytes.count, bytes[index] == quote else { break }
        start = index  // the second of two quotes is text
      }
      if bytes[index] == 0x0a || bytes[index] == 0x0d && !isBeforeLineFeed { line += 1 }
      index += 1
    }
    skipBlanks()
    guard isAtLineEnd || bytes[index] == separator || separator == 0x20 else {
      throw DatasetError(
        "\(path):\(line)", "text follows a closing quote",
        cure: "double a quote that is part of the text, or check --separator")
    }
    return content[...]
  }

  private var isBeforeLineFeed: Bool { index + 1 < bytes.count && bytes[index + 1] == 0x0a }
}
