// SPDX-License-Identifier: Apache-2.0

import RandomNumbers
import Testing

@Suite struct PhiloxTests {
  /// The known answers that the authors of the generator publish for ten rounds.
  @Test(
    arguments: [
      ([0, 0, 0, 0], [0, 0], [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]),
      (
        [0xffff_ffff, 0xffff_ffff, 0xffff_ffff, 0xffff_ffff], [0xffff_ffff, 0xffff_ffff],
        [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]
      ),
      (
        [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344], [0xa409_3822, 0x299f_31d0],
        [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
      ),
    ] as [([UInt32], [UInt32], [UInt32])])
  func knownAnswers(counter: [UInt32], key: [UInt32], expected: [UInt32]) {
    let words = Philox.words(
      counter: SIMD4(counter[0], counter[1], counter[2], counter[3]), key: SIMD2(key[0], key[1]))
    #expect((0..<4).map { words[$0] } == expected)
  }

  @Test func streamsWithDifferentKeysDiffer() {
    func first(_ seed: UInt64, _ purpose: RandomPurpose, _ step: Int, _ index: Int) -> UInt64 {
      var stream = RandomStream(seed: seed, purpose: purpose, step: step, index: index)
      return stream.next()
    }
    let all = [
      first(1, .shuffle, 0, 0), first(2, .shuffle, 0, 0), first(1, .dropout, 0, 0),
      first(1, .shuffle, 1, 0), first(1, .shuffle, 0, 1), first(1 << 40, .shuffle, 0, 0),
    ]
    #expect(Set(all).count == all.count)
    #expect(first(1, .shuffle, 0, 0) == all[0])
  }

  @Test func momentsAreThoseOfTheDistributions() {
    var stream = RandomStream(seed: 3, purpose: .testing)
    let count = 100_000
    let uniform = (0..<count).map { _ in stream.uniform() }
    let normal = (0..<count).map { _ in stream.normal() }
    #expect(uniform.allSatisfy { (0..<1).contains($0) })
    // Five standard errors: sqrt(1/12/n) and sqrt(1/n).
    #expect(abs(uniform.reduce(0, +) / Double(count) - 0.5) < 5 * 0.2887 / 316)
    #expect(abs(normal.reduce(0, +) / Double(count)) < 5.0 / 316)
    let square = normal.reduce(0) { $0 + $1 * $1 } / Double(count)
    #expect(abs(square - 1) < 5 * 1.4142 / 316)
  }

  @Test(arguments: [0, 1, 2, 1000]) func permutationsHoldEveryIndexOnce(count: Int) {
    var stream = RandomStream(seed: 7, purpose: .shuffle, step: 4)
    #expect(stream.permutation(count).sorted() == Array(0..<count))
  }

  /// Computed by an independent program from the definitions of Philox, Lemire and Fisher-Yates: a
  /// change here would silently reorder every epoch and every permuted image.
  @Test func permutationsAreTheKnownOnes() {
    func permutation(_ seed: UInt64, _ purpose: RandomPurpose, step: Int = 0, _ count: Int) -> [Int]
    {
      var stream = RandomStream(seed: seed, purpose: purpose, step: step)
      return stream.permutation(count)
    }
    #expect(permutation(1, .shuffle, 12) == [2, 6, 10, 8, 9, 7, 0, 11, 5, 4, 3, 1])
    #expect(permutation(7, .shuffle, step: 3, 12) == [8, 4, 1, 5, 9, 7, 3, 0, 2, 10, 11, 6])
    #expect(permutation(5 << 32 + 9, .pixelPermutation, 10) == [8, 0, 5, 2, 4, 7, 1, 3, 9, 6])
    #expect(permutation(2, .validationSplit, 9) == [7, 5, 8, 4, 2, 0, 3, 6, 1])
  }
}
