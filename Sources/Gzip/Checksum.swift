internal import CZlib

/// CRC-32 as gzip and zlib use it (RFC 1952, section 8), of which any change of up to 32 bits in a
/// row alters the value.
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
