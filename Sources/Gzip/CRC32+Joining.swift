// SPDX-License-Identifier: Apache-2.0

internal import CZlib

extension CRC32 {
  /// Computes the checksum of two consecutive texts from the checksum of each.
  ///
  /// For a fixed length of the second text, the result is linear in the checksum of the first (over
  /// the field of two elements), so four tables of 256 numbers replace what zlib computes again
  /// each time.
  ///
  /// The corresponding C function is `crc32_combine`.
  public struct Joining: Sendable {
    private var tables = [UInt32](repeating: 0, count: 4 * 256)

    /// - Parameter bytes: the length of the second text in bytes
    public init(bytes: Int) {
      for bit in 0..<32 {
        let image = UInt32(truncatingIfNeeded: crc32_combine(1 << UInt(bit), 0, bytes))
        let (table, place) = (bit / 8 * 256, 1 << (bit % 8))
        for byte in 0..<256 where byte & place != 0 { tables[table + byte] ^= image }
      }
    }

    /// The checksum of both; that of an empty first text is 0.
    public func callAsFunction(_ first: UInt32, _ second: UInt32) -> UInt32 {
      var joined = second
      for table in 0..<4 {
        joined ^= tables[table * 256 + Int(truncatingIfNeeded: first >> UInt32(8 * table)) & 255]
      }
      return joined
    }
  }
}
