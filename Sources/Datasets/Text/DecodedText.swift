// SPDX-License-Identifier: Apache-2.0

import Gzip

/// The text of a plain or gzipped file in UTF-8, without a byte order mark.
///
/// UTF-16 with a byte order mark is converted. Any other encoding is refused with the place of the
/// first byte that is not UTF-8.
public struct DecodedText: Sendable {
  /// The text as UTF-8.
  public let bytes: [UInt8]
  /// The encoding, if it is not plain UTF-8: "UTF-16".
  public let encoding: String?

  /// Reads a file.
  public init(contentsOf path: String) throws(DatasetError) {
    let bytes: [UInt8]
    do {
      bytes = try readPossiblyGzipped(path)
    } catch {
      throw DatasetError(error)
    }
    try self.init(bytes, path: path)
  }

  /// Decodes the content of a file.
  public init(_ content: [UInt8], path: String) throws(DatasetError) {
    switch content.prefix(4) {
    case [0xff, 0xfe, 0, 0], [0, 0, 0xfe, 0xff]:
      throw DatasetError(
        path, "is UTF-32 text", cure: "convert it with `iconv -f UTF-32 -t UTF-8`")
    case let start where start.starts(with: [0xff, 0xfe]):
      bytes = try Self.decodeUTF16(content, path) { UInt16($0) | UInt16($1) << 8 }
      encoding = "UTF-16"
    case let start where start.starts(with: [0xfe, 0xff]):
      bytes = try Self.decodeUTF16(content, path) { UInt16($0) << 8 | UInt16($1) }
      encoding = "UTF-16"
    case let start where start.starts(with: [0xef, 0xbb, 0xbf]):
      bytes = Array(content[3...])
      encoding = "UTF-8 with a byte order mark"
    default:
      bytes = content
      encoding = nil
    }
    try check(path)
  }

  private static func decodeUTF16(
    _ content: [UInt8], _ path: String, _ unit: (UInt8, UInt8) -> UInt16
  ) throws(DatasetError) -> [UInt8] {
    let units = stride(from: 2, to: content.count - 1, by: 2).map {
      unit(content[$0], content[$0 + 1])
    }
    guard content.count % 2 == 0, let text = String(validating: units, as: UTF16.self) else {
      throw DatasetError(
        path, "is damaged UTF-16 text: half of a surrogate pair is missing",
        cure: "save it again, as UTF-8")
    }
    return Array(text.utf8)
  }

  private func check(_ path: String) throws(DatasetError) {
    if let place = bytes.firstIndex(of: 0) {
      if let name = unmarkedUTF16 {
        throw DatasetError(
          path, "is UTF-16 text without a byte order mark",
          cure: "convert it with `iconv -f \(name) -t UTF-8`")
      }
      throw DatasetError(
        "\(path):\(line(at: place))", "holds a zero byte, so it is not text",
        cure: "check the path given to --from, or remove the byte")
    }
    guard String(validating: bytes, as: UTF8.self) == nil else { return }
    let place = firstWrongByte
    let start = bytes[..<place].lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
    let value = String(bytes[place], radix: 16, uppercase: true)
    throw DatasetError(
      "\(path):\(line(at: place))",
      "byte \(place - start + 1) of the line is 0x\(value), which is not UTF-8 text",
      cure: "convert it, for example with `iconv -f LATIN1 -t UTF-8`")
  }

  /// The name of the encoding in which each ASCII letter has a zero byte; nil for other bytes.
  private var unmarkedUTF16: String? {
    let start = bytes.prefix(1024)
    guard start.count >= 4 else { return nil }
    let zeros = start.indices.filter { start[$0] == 0 }
    guard zeros.count * 5 >= start.count * 2 else { return nil }
    if zeros.allSatisfy({ $0 % 2 == 1 }) { return "UTF-16LE" }
    return zeros.allSatisfy { $0 % 2 == 0 } ? "UTF-16BE" : nil
  }

  /// The position of the first byte that is not UTF-8.
  private var firstWrongByte: Int {
    var parser = Unicode.UTF8.ForwardParser()
    var iterator = bytes.makeIterator()
    var place = 0
    while case .valid(let scalar) = parser.parseScalar(from: &iterator) { place += scalar.count }
    return min(place, bytes.count - 1)
  }

  private func line(at place: Int) -> Int {
    bytes[..<place].reduce(1) { $0 + ($1 == UInt8(ascii: "\n") ? 1 : 0) }
  }
}

extension DecodedText {
  /// The bytes with "\n" at the end of each line. The "\r" of "\r\n" is removed. In a text without
  /// any "\n", a lone "\r" ends a line. In other texts a lone "\r" is unchanged.
  public var bytesByLines: [UInt8] {
    let (carriageReturn, lineFeed) = (UInt8(ascii: "\r"), UInt8(ascii: "\n"))
    guard bytes.contains(carriageReturn) else { return bytes }
    guard bytes.contains(lineFeed) else {
      return bytes.map { $0 == carriageReturn ? lineFeed : $0 }
    }
    return bytes.indices.compactMap { index in
      let isBeforeLineFeed =
        bytes[index] == carriageReturn && index + 1 < bytes.count && bytes[index + 1] == lineFeed
      return isBeforeLineFeed ? nil : bytes[index]
    }
  }

  /// The characters at the ends of lines, if not only "\n".
  public var lineEnds: String? {
    guard bytes.contains(UInt8(ascii: "\r")) else { return nil }
    guard bytes.contains(UInt8(ascii: "\n")) else { return "CR" }
    let isPair = zip(bytes, bytes.dropFirst()).contains { $0 == 0x0d && $1 == 0x0a }
    return isPair ? "CRLF" : nil
  }

  /// Whether a byte ends a line.
  static func isLineEnd(_ byte: UInt8) -> Bool { byte == 0x0a || byte == 0x0d }
}
