// SPDX-License-Identifier: Apache-2.0

/// The cyclic redundancy check with Castagnoli's polynomial (RFC 3720, appendix B.4), which
/// TensorBoard uses for its records.
enum CRC32C {
  private static let table: [UInt32] = (0..<256).map { byte in
    (0..<8).reduce(UInt32(byte)) { value, _ in
      value & 1 == 1 ? value >> 1 ^ 0x82f6_3b78 : value >> 1
    }
  }

  static func checksum(_ bytes: some Sequence<UInt8>) -> UInt32 {
    ~bytes.reduce(~0) { value, byte in
      table[Int(UInt8(truncatingIfNeeded: value) ^ byte)] ^ value >> 8
    }
  }

  /// The checksum as in TFRecord files: rotated by 15 bits plus a constant, because a checksum over
  /// bytes that contain a checksum would be weak.
  static func masked(_ bytes: some Sequence<UInt8>) -> UInt32 {
    let sum = checksum(bytes)
    return (sum >> 15 | sum << 17) &+ 0xa282_ead8
  }
}
