// SPDX-License-Identifier: Apache-2.0

/// The generator MT19937 (Matsumoto and Nishimura, 1998), with the seeding and the permutations of
/// NumPy's legacy `RandomState`.
///
/// It reproduces orders that were published as a seed, such as that of permuted MNIST:
/// `MersenneTwister(seed: s).permutation(n)` is `numpy.random.RandomState(s).permutation(n)`. All
/// other random numbers come from `RandomStream`, which does not depend on the order of calls.
public struct MersenneTwister {
  private static let size = 624
  private var state: [UInt32]
  private var used = Self.size

  /// Starts from a seed as `init_genrand` does.
  public init(seed: UInt32) {
    state = [seed]
    state.reserveCapacity(Self.size)
    for index in 1..<Self.size {
      let last = state[index - 1]
      state.append(1_812_433_253 &* (last ^ last >> 30) &+ UInt32(index))
    }
  }

  /// The next 32 random bits.
  public mutating func nextWord() -> UInt32 {
    if used == Self.size {
      twist()
      used = 0
    }
    var word = state[used]
    used += 1
    word ^= word >> 11
    word ^= word << 7 & 0x9d2c_5680
    word ^= word << 15 & 0xefc6_0000
    return word ^ word >> 18
  }

  private mutating func twist() {
    for index in 0..<Self.size {
      let next = state[(index + 1) % Self.size]
      let word = state[index] & 0x8000_0000 | next & 0x7fff_ffff
      state[index] =
        state[(index + 397) % Self.size] ^ word >> 1 ^ (word & 1 == 0 ? 0 : 0x9908_b0df)
    }
  }

  /// Uniform in 0 ... largest. As many bits as `largest` has are drawn, until the number is in
  /// range.
  private mutating func upTo(_ largest: UInt32) -> UInt32 {
    let mask = largest == 0 ? 0 : UInt32.max >> UInt32(largest.leadingZeroBitCount)
    while true {
      let word = nextWord() & mask
      if word <= largest { return word }
    }
  }

  /// A permutation of 0 ..< count (Fisher and Yates, from the end).
  public mutating func permutation(_ count: Int) -> [Int] {
    precondition(count >= 0 && count <= 1 << 32, "a permutation of \(count)")
    var order = Array(0..<count)
    if count > 1 {
      for last in stride(from: count - 1, to: 0, by: -1) {
        order.swapAt(last, Int(upTo(UInt32(last))))
      }
    }
    return order
  }
}
