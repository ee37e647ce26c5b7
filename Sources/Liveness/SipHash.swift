// SPDX-License-Identifier: Apache-2.0

/// SipHash-2-4 (Aumasson and Bernstein, 2012, doi:10.1007/978-3-642-34931-7_28): a message
/// authentication code that only holders of the key can compute.
struct SipHash: Sendable {
  private let k0: UInt64
  private let k1: UInt64

  init(key k0: UInt64, _ k1: UInt64) {
    (self.k0, self.k1) = (k0, k1)
  }

  /// The tag of a message.
  func tag(of message: ArraySlice<UInt8>) -> UInt64 {
    var v: SIMD4<UInt64> = [
      k0 ^ 0x736f_6d65_7073_6575, k1 ^ 0x646f_7261_6e64_6f6d, k0 ^ 0x6c79_6765_6e65_7261,
      k1 ^ 0x7465_6462_7974_6573,
    ]
    func compress(_ word: UInt64) {
      v[3] ^= word
      Self.round(&v)
      Self.round(&v)
      v[0] ^= word
    }
    var rest = message
    while rest.count >= 8 {
      compress(littleEndian(rest.prefix(8)))
      rest = rest.dropFirst(8)
    }
    compress(littleEndian(rest) | UInt64(truncatingIfNeeded: message.count) << 56)
    v[2] ^= 0xff
    for _ in 0..<4 { Self.round(&v) }
    return v[0] ^ v[1] ^ v[2] ^ v[3]
  }

  private static func round(_ v: inout SIMD4<UInt64>) {
    func left(_ word: UInt64, _ bits: UInt64) -> UInt64 { word << bits | word >> (64 - bits) }
    v[0] &+= v[1]
    v[1] = left(v[1], 13) ^ v[0]
    v[0] = left(v[0], 32)
    v[2] &+= v[3]
    v[3] = left(v[3], 16) ^ v[2]
    v[0] &+= v[3]
    v[3] = left(v[3], 21) ^ v[0]
    v[2] &+= v[1]
    v[1] = left(v[1], 17) ^ v[2]
    v[2] = left(v[2], 32)
  }
}

/// A number from at most eight bytes, the least significant first.
func littleEndian(_ bytes: ArraySlice<UInt8>) -> UInt64 {
  bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
}
