// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
  import Glibc
#endif

/// The purpose of a random number; numbers for different purposes are independent.
public enum RandomPurpose: UInt32, Sendable {
  /// The starting values of parameters.
  case initialization = 1
  /// The order of sequences in an epoch.
  case shuffle = 2
  /// The order of pixels of the permuted view.
  case pixelPermutation = 3
  /// The sequences of a generated task.
  case generatedData = 4
  /// Which sequences are held out for validation or testing.
  case validationSplit = 5
  /// The dropout masks of a language model, and the steps left out of prepared sequences.
  case dropout = 6
  /// The lengths of a text's chunks.
  case chunkLength = 7
  /// Generated tokens, and held-out neurons of spike data.
  case sampling = 8
  /// The inputs and weights of a benchmark.
  case benchmark = 9
  /// The numbers of a test, and of the benchmark of memories.
  case testing = 10
  /// Which spike counts are hidden.
  case masking = 11
  /// The dropout of a transformer encoder.
  case sequenceDropout = 12
  /// The trials of a random search.
  case search = 13
  /// Shifts, flips and noise of images.
  case augmentation = 16
  /// Which sequences a balanced epoch repeats.
  case balancing = 17
  /// Which steps are audited, and by which ranks.
  case audit = 18
}

/// A sequence of random numbers keyed by seed, purpose, site, step and index.
///
/// The index is always *global*, such as that of a sequence in the data set or of a parameter. It
/// never depends on a rank, so any number of ranks draws the same numbers.
public struct RandomStream: RandomNumberGenerator {
  private let key: SIMD2<UInt32>
  private let lane: SIMD4<UInt32>
  private var block: UInt32 = 0
  private var words = SIMD4<UInt32>()
  private var used = 4

  /// - Parameters:
  ///   - seed: the seed of the run
  ///   - purpose: the purpose of the numbers
  ///   - site: tells apart several places in a model that draw for the same purpose
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

  /// The `Philox` counter and key of the stream's first words. The stream must be unused. The first
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
