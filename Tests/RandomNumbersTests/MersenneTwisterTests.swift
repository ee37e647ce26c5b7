// SPDX-License-Identifier: Apache-2.0

import RandomNumbers
import Testing

@Suite struct MersenneTwisterTests {
  /// The first words of the authors' default seed.
  @Test func wordsAreTheKnownOnes() {
    var generator = MersenneTwister(seed: 5489)
    #expect(
      (0..<4).map { _ in generator.nextWord() }
        == [3_499_211_612, 581_869_302, 3_890_346_734, 3_586_334_585])
    // The C++ standard says what the 10,000th is.
    for _ in 4..<9999 { _ = generator.nextWord() }
    #expect(generator.nextWord() == 4_123_659_995)
  }

  /// `numpy.random.RandomState(seed).permutation(count)` of NumPy 2.4.6.
  @Test func permutationsAreThoseOfNumPy() {
    for (seed, count, expected): (UInt32, Int, [Int]) in [
      (0, 0, []), (0, 1, [0]), (0, 2, [1, 0]), (0, 3, [2, 1, 0]), (1, 2, [0, 1]),
      (0, 10, [2, 8, 4, 9, 1, 6, 7, 3, 0, 5]),
      (1, 16, [3, 13, 7, 2, 6, 10, 4, 1, 14, 0, 15, 9, 8, 12, 11, 5]),
      (92916, 10, [5, 2, 4, 9, 1, 3, 8, 0, 6, 7]),
      (92916, 16, [4, 0, 3, 15, 14, 2, 5, 1, 11, 9, 12, 8, 6, 7, 10, 13]),
      (.max, 16, [8, 1, 5, 11, 9, 14, 15, 13, 10, 6, 0, 4, 7, 12, 2, 3]),
    ] {
      var generator = MersenneTwister(seed: seed)
      #expect(generator.permutation(count) == expected, "\(seed), \(count)")
    }
    // More numbers than one state gives.
    for (seed, count, start, end): (UInt32, Int, [Int], [Int]) in [
      (92916, 784, [319, 576, 323, 107, 355, 716, 197, 20], [264, 102, 39, 346]),
      (0, 784, [693, 85, 647, 392, 765, 14, 299, 711], [192, 629, 559, 684]),
      (1, 1024, [830, 795, 495, 822, 859, 104, 27, 986], [72, 908, 235, 37]),
      (
        92916, 70_000, [44444, 67239, 29377, 63784, 23273, 50858, 20664, 43197],
        [44134, 47143, 9562, 13213]
      ),
    ] {
      var generator = MersenneTwister(seed: seed)
      let order = generator.permutation(count)
      #expect(Array(order.prefix(8)) == start && Array(order.suffix(4)) == end, "\(seed), \(count)")
      #expect(order.sorted() == Array(0..<count))
    }
  }
}
