import Gzip

/// A text file, plain or gzipped, line by line: what the readers of archives share.
struct TextTable {
  let path: String
  /// The lines with their numbers from 1, without those that are blank.
  let lines: [(number: Int, text: ArraySlice<UInt8>)]

  init(_ path: String) throws(DatasetError) {
    self.path = path
    let bytes: [UInt8]
    do {
      bytes = try readPossiblyGzipped(path)
    } catch {
      throw DatasetError(error)
    }
    guard !bytes.contains(0) else {
      throw DatasetError(path, "is no text", cure: "check --from")
    }
    lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
      .enumerated().compactMap { index, line in
        let text = Self.trim(line)
        return text.isEmpty ? nil : (index + 1, text)
      }
  }

  /// The fields of a line between separators, without the blanks around them.
  static func fields(
    _ line: ArraySlice<UInt8>, separator: Unicode.Scalar
  ) -> [ArraySlice<UInt8>] {
    // Several blanks separate as one does.
    line.split(separator: UInt8(ascii: separator), omittingEmptySubsequences: separator == " ")
      .map(trim)
  }

  static func string(_ field: ArraySlice<UInt8>) -> String {
    String(decoding: field, as: UTF8.self)
  }

  private static func trim(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0d }
    guard let first = line.firstIndex(where: { !isBlank($0) }),
      let last = line.lastIndex(where: { !isBlank($0) })
    else { return [] }
    return line[first...last]
  }

  /// A complaint about a line.
  func error(_ line: Int, _ problem: String, cure: String) -> DatasetError {
    DatasetError("\(path):\(line)", problem, cure: cure)
  }

  /// A number of a line, which must be finite.
  func number(_ field: ArraySlice<UInt8>, line: Int) throws(DatasetError) -> Float {
    let text = Self.string(field)
    guard let value = Float(text), value.isFinite else {
      let isMissing = ["", "?", "nan", "NaN", "NA"].contains(text)
      throw error(
        line,
        isMissing ? "has a missing value (\"\(text)\")" : "\"\(text.prefix(40))\" is no number",
        cure: isMissing
          ? "fill it in, or leave the sequence out" : "check the format, see prepare --help")
    }
    return value
  }
}
