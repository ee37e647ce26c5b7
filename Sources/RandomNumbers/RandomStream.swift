// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
  import Glibc
#endif

/// The purpose of a random number; numbers for different purposes are independent.
public enum RandomPurpose: UInt32, Sendable {
  case initialization = 1
  case shuffle = 2
  case pixelPermutation = 3
  case generatedData = 4
  case validationSplit = 5
  case dropout = 6
  case chunkLength = 7
  case sampling = 8
  case benchmark = 9
  case testing = 10
  case masking = 11
  case sequenceDropout = 12
  case search = 13
  case augmentation = 16
  case balancing = 17
  case audit = 18
}

/// A sequence of random numbers keyed by seed, purpose, site, step and index.
///
/// The index is always a *global* one (of a sequence in the data set, of a parameter), never that
/// of a rank, so any number of ranks draws the same numbers.
public struct RandomStream: RandomNumberGenerator {
  private let key: SIMD2<UInt32>
  private let lane: SIMD4<UInt32>
  private var block: UInt32 = 0
  private var words = SIMD4<UInt32>()
  private var used = 4

  /// - Parameters:
  ///   - seed: the seed of the run
  ///   - purpose: what the numbers are for
  ///   - site: which of several places in a model that draw for the same purpose
  ///   - step: the number of a step or epoch
  ///   - index: the global index of a sequence
  /// - Precondition: `step` and `index` are in 0 ..< 2³², `site` in 0 ..< 2²⁴
  public init(
    seed: UInt64, purpose: RandomPurpose, site: Int = 0, step: Int = 0, index: Int = 0
  ) {
    precondition(site >= 0 && site < 1 << 24, "site \(site)")
    key = SIMD2(UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32))
    lane = SIMD4(0, UInt32(site) << 8 | purpose.rawValue, UInt32(step), UInt32(index))
  }

  /// The `Philox` counter and key of a stream's first words; the stream must be unused. The first
  /// number of the counter increases by one for every four words.
  public var start: (counter: SIMD4<UInt32>, key: SIMD2<UInt32>) {
    precondition(block == 0 && used == 4, "words of the stream have been used")
    return (lane, key)
  }

  /// The next 32 random bits.
  public mutating func nextWord() -> UInt32 {
    if used == 4 {
      words = Philox.words(counter: SIMD4(block, lane[1], lane[2], lane[3]), key: key)
      block &+= 1
      used = 0
    }
    defer { used += 1 }
    return words[used]
  }

  public mutating func next() -> UInt64 {
    let low = UInt64(nextWord())
    return UInt64(nextWord()) << 32 | low
  }

  /// Uniform in [0, 1), with 53 random bits.
  public mutating func uniform() -> Double {
    Double(next() >> 11) * 0x1p-53
  }

  /// Uniform in `range`.
  public mutating func uniform(in range: Range<Double>) -> Double {
    range.lowerBound + (range.upperBound - range.lowerBound) * uniform()
  }

  /// A standard normal number (Box and Muller, 1958).
  public mutating func normal() -> Double {
    let radius = (-2 * log(1 - uniform())).squareRoot()
    return radius * cos(2 * .pi * uniform())
  }

  /// Uniform in 0 ..< bound, without bias (Lemire, 2019).
  public mutating func below(_ bound: Int) -> Int {
    precondition(bound > 0, "a random number below \(bound) does not exist")
    return Int(next(upperBound: UInt64(bound)))
  }

  /// A permutation of 0 ..< count (Fisher and Yates).
  public mutating func permutation(_ count: Int) -> [Int] {
    var order = Array(0..<count)
    if count > 1 {
      for last in stride(from: count - 1, to: 0, by: -1) {
        order.swapAt(last, below(last + 1))
      }
    }
    return order
  }
}
