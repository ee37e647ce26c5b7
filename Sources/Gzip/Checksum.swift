// SPDX-License-Identifier: Apache-2.0

internal import CZlib

/// CRC-32 as used by gzip and zlib (RFC 1952, section 8). Any change of up to 32 consecutive bits
/// changes the value.
public enum CRC32 {
  /// The checksum of the little-endian bytes of some numbers.
  ///
  /// The corresponding C function is `crc32_z`.
  public static func of<Scalar: BitwiseCopyable>(_ values: Span<Scalar>) -> UInt32 {
    values.withUnsafeBytes { bytes in
      UInt32(
        truncatingIfNeeded: crc32_z(0, bytes.bindMemory(to: UInt8.self).baseAddress, bytes.count))
    }
  }
}
