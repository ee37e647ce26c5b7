// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Returns a gzip member that holds `bytes` without compression (RFC 1951, section 3.2.4).
func gzipMember(_ bytes: [UInt8]) -> [UInt8] {
  var result: [UInt8] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]
  var rest = bytes[...]
  repeat {
    let block = rest.prefix(65_535)
    rest = rest.dropFirst(block.count)
    let length = UInt16(block.count)
    result.append(rest.isEmpty ? 1 : 0)
    result += littleEndian(length) + littleEndian(~length) + block
  } while !rest.isEmpty
  return result + littleEndian(checksum(bytes)) + littleEndian(UInt32(bytes.count))
}

/// Returns the CRC-32 of RFC 1952, section 8.
private func checksum(_ bytes: [UInt8]) -> UInt32 {
  var crc = ~UInt32(0)
  for byte in bytes {
    crc ^= UInt32(byte)
    for _ in 0..<8 { crc = crc >> 1 ^ (crc & 1) &* 0xedb8_8320 }
  }
  return ~crc
}

private func littleEndian<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] {
  withUnsafeBytes(of: value.littleEndian) { Array($0) }
}

/// Lends the path of a file that holds `bytes`.
func withFile(_ bytes: [UInt8], _ body: (String) throws -> Void) throws {
  let url = FileManager.default.temporaryDirectory.appending(path: "\(UUID()).gz")
  defer { try? FileManager.default.removeItem(at: url) }
  try Data(bytes).write(to: url)
  try body(url.path)
}
