// SPDX-License-Identifier: Apache-2.0

import Gzip
import Testing

@Suite struct ChecksumJoiningTests {
  static let text = (0..<10_007).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 3) }

  /// The checksum of a text follows from those of its pieces, for any lengths.
  @Test(arguments: [1, 7, 4096, 9_999]) func piecesMakeTheWhole(length: Int) {
    let text = Self.text
    var sum: UInt32 = 0
    for start in stride(from: 0, to: text.count, by: length) {
      let piece = text[start..<min(start + length, text.count)]
      sum = CRC32.Joining(bytes: piece.count)(sum, CRC32.of(Array(piece).span))
    }
    #expect(sum == CRC32.of(text.span))
  }
}
