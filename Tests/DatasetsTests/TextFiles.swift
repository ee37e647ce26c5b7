// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport

@testable import Datasets

/// Text files that tests write and read back.
enum TextFiles {
  /// Bytes as a gzip file holds them without compressing them (RFC 1952, RFC 1951 section 3.2.4).
  static func gzipped(_ bytes: [UInt8]) -> [UInt8] {
    precondition(bytes.count < 65_536)
    let length = UInt16(bytes.count)
    var file: [UInt8] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1]
    for word in [length, ~length] { file += [UInt8(word & 255), UInt8(word >> 8)] }
    var crc = UInt32.max
    for byte in bytes {
      crc ^= UInt32(byte)
      for _ in 0..<8 { crc = (crc >> 1) ^ (crc & 1 == 1 ? 0xedb8_8320 : 0) }
    }
    file += bytes
    for number in [~crc, UInt32(bytes.count)] {
      file += (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
    }
    return file
  }

  /// A text in UTF-16 with a byte order mark.
  static func utf16(_ text: String, bigEndian: Bool = false) -> [UInt8] {
    ([0xfeff] + Array(text.utf16)).flatMap { unit -> [UInt8] in
      let bytes = [UInt8(unit & 255), UInt8(unit >> 8)]
      return bigEndian ? bytes.reversed() : bytes
    }
  }

  static let mark: [UInt8] = [0xef, 0xbb, 0xbf]

  /// The encodings of one text that all read as the same text, by name.
  static func forms(_ text: String) -> [(name: String, bytes: [UInt8])] {
    let plain = Array(text.utf8)
    return [
      ("plain", plain), ("byte order mark", mark + plain), ("gzipped", gzipped(plain)),
      ("gzipped with a mark", gzipped(mark + plain)), ("UTF-16, little", utf16(text)),
      ("UTF-16, big", utf16(text, bigEndian: true)),
      ("CRLF", Array(text.utf8).flatMap { $0 == 0x0a ? [0x0d, 0x0a] : [$0] }),
      ("CR", Array(text.utf8).map { $0 == 0x0a ? 0x0d : $0 }),
    ]
  }

  static func write(_ bytes: [UInt8], _ path: String) throws {
    try Data(bytes).write(to: URL(fileURLWithPath: path))
  }

  /// The error of reading a file of these bytes; "nothing" if it is read.
  static func problem(
    _ bytes: [UInt8], as name: String = "file", _ read: (String) throws -> Void
  ) throws -> String {
    try Places.withTemporaryFolder { folder in
      try write(bytes, "\(folder)/\(name)")
      do {
        try read("\(folder)/\(name)")
        return "nothing"
      } catch {
        return "\(error)"
      }
    }
  }

  /// Reads a table, or two.
  static func table(
    _ train: String, _ test: String? = nil, _ change: (inout CSVFormat) -> Void = { _ in }
  ) throws -> SequenceArchive {
    var format = CSVFormat()
    change(&format)
    return try Places.withTemporaryFolder { folder in
      var paths = ["\(folder)/train.csv"]
      try write(Array(train.utf8), paths[0])
      if let test {
        paths.append("\(folder)/test.csv")
        try write(Array(test.utf8), paths[1])
      }
      return try CSVTable.read(paths, format)
    }
  }

  /// The error of reading a table; "nothing" if it is read.
  static func tableProblem(
    _ train: String, _ test: String? = nil, _ change: (inout CSVFormat) -> Void = { _ in }
  ) -> String {
    do {
      _ = try table(train, test, change)
      return "nothing"
    } catch {
      return "\(error)"
    }
  }
}
