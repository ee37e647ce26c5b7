// SPDX-License-Identifier: Apache-2.0

/// The counter-based generator Philox 4x32-10 (Salmon et al., SC 2011): four random words from a
/// 128-bit counter under a 64-bit key, with no state in between.
///
/// A number depends only on its key and counter, so it is the same on any rank and in any order of
/// calls.
public enum Philox {
  /// The four words at `counter` under `key`.
  public static func words(counter: SIMD4<UInt32>, key: SIMD2<UInt32>) -> SIMD4<UInt32> {
    var c = counter
    var k = key
    for _ in 0..<10 {
      let high = UInt32(0xD251_1F53).multipliedFullWidth(by: c[0])
      let low = UInt32(0xCD9E_8D57).multipliedFullWidth(by: c[2])
      c = SIMD4(low.high ^ c[1] ^ k[0], low.low, high.high ^ c[3] ^ k[1], high.low)
      k &+= SIMD2(0x9E37_79B9, 0xBB67_AE85)
    }
    return c
  }
}
