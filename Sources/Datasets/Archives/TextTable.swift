// SPDX-License-Identifier: Apache-2.0

/// A text file, plain or gzipped, line by line. All readers of archives use it.
struct TextTable {
  let path: String
  /// The lines with their numbers from 1, without those that are blank.
  let lines: [(number: Int, text: ArraySlice<UInt8>)]

  init(_ path: String) throws(DatasetError) {
    self.path = path
    let bytes = try DecodedText(contentsOf: path).bytes
    var lines: [(number: Int, text: ArraySlice<UInt8>)] = []
    var (number, start) = (1, bytes.startIndex)
    while start < bytes.endIndex {
      let end = bytes[start...].firstIndex(where: DecodedText.isLineEnd) ?? bytes.endIndex
      let text = Self.trim(bytes[start..<end])
      if !text.isEmpty { lines.append((number, text)) }
      number += 1
      let isPair = end + 1 < bytes.endIndex && bytes[end] == 0x0d && bytes[end + 1] == 0x0a
      start = end + (isPair ? 2 : 1)
    }
    self.lines = lines
  }

  /// The fields of a line, without the blanks around them. Separators between parentheses count as
  /// text.
  static func fields(
    _ line: ArraySlice<UInt8>, separator: Unicode.Scalar
  ) -> [ArraySlice<UInt8>] {
    let separator = UInt8(ascii: separator)
    var fields: [ArraySlice<UInt8>] = []
    var (start, depth) = (line.startIndex, 0)
    for index in line.indices {
      switch line[index] {
      case UInt8(ascii: "("): depth += 1
      case UInt8(ascii: ")"): depth = max(depth - 1, 0)
      case separator where depth == 0:
        fields.append(trim(line[start..<index]))
        start = index + 1
      default: break
      }
    }
    fields.append(trim(line[start...]))
    return fields
  }

  static func string(_ field: ArraySlice<UInt8>) -> String {
    String(decoding: field, as: UTF8.self)
  }

  static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

  static func trim(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    guard let first = line.firstIndex(where: { !isBlank($0) }),
      let last = line.lastIndex(where: { !isBlank($0) })
    else { return [] }
    return line[first...last]
  }

  /// An error about a line.
  func error(_ line: Int, _ problem: String, cure: String) -> DatasetError {
    DatasetError("\(path):\(line)", problem, cure: cure)
  }
}
