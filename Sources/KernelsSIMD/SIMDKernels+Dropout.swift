// SPDX-License-Identifier: Apache-2.0

public import KernelInterface

extension SIMDKernels {
  /// Draws the factors of a dropout, 64 at a time.
  public static func fillDropout(_ call: DropoutCall<Float>) {
    Arena.with({ $0.take(PhiloxWords.count) }) { last in
      var done = 0
      while done < call.count {
        let counter = call.counter[0] &+ UInt32(truncatingIfNeeded: done / 4)
        let words = PhiloxWords(first: counter, of: call.counter, key: call.key)
        let left = call.count - done
        if left >= PhiloxWords.count {
          words.store(call, call.factors + done)
        } else {
          words.store(call, last)
          (call.factors + done).update(from: last, count: left)
        }
        done += PhiloxWords.count
      }
    }
  }
}

/// The words of sixteen consecutive counters (Salmon et al., SC 2011).
private struct PhiloxWords {
  /// A 64-bit lane holds two numbers: that of an even counter in the lower half, and that of the
  /// odd counter after it in the upper half. A product of 32 by 32 bits fills the whole lane.
  typealias Pairs = SIMD8<UInt64>

  static var count: Int { 64 }
  private static var low: Pairs { Pairs(repeating: 0xFFFF_FFFF) }

  /// The four words of the counters.
  private var a: Pairs
  private var b: Pairs
  private var c: Pairs
  private var d: Pairs

  @inline(__always)
  init(first: UInt32, of counter: SIMD4<UInt32>, key: SIMD2<UInt32>) {
    let lanes = Pairs(0, 1, 2, 3, 4, 5, 6, 7)
    let even = (Pairs(repeating: UInt64(first)) &+ (lanes &<< 1)) & Self.low
    let odd = (Pairs(repeating: UInt64(first)) &+ (lanes &<< 1) &+ Pairs(repeating: 1)) & Self.low
    a = even | (odd &<< 32)
    (b, c, d) = (Self.both(counter[1]), Self.both(counter[2]), Self.both(counter[3]))
    var (k0, k1) = (key[0], key[1])
    for _ in 0..<10 {
      let (highA, lowA) = Self.multiply(a, 0xD251_1F53)
      let (highC, lowC) = Self.multiply(c, 0xCD9E_8D57)
      (a, b, c, d) = (highC ^ b ^ Self.both(k0), lowC, highA ^ d ^ Self.both(k1), lowA)
      k0 &+= 0x9E37_79B9
      k1 &+= 0xBB67_AE85
    }
  }

  @inline(__always)
  private static func both(_ word: UInt32) -> Pairs {
    Pairs(repeating: UInt64(word) << 32 | UInt64(word))
  }

  /// The upper and the lower halves of the products.
  @inline(__always)
  private static func multiply(_ x: Pairs, _ factor: UInt64) -> (Pairs, Pairs) {
    let factor = Pairs(repeating: factor)
    let (even, odd) = ((x & low) &* factor, (x &>> 32) &* factor)
    return ((even &>> 32) | (odd & ~low), (even & low) | (odd &<< 32))
  }

  /// Writes the factors, the four words of a counter next to each other.
  @inline(__always)
  func store(_ call: DropoutCall<Float>, _ factors: UnsafeMutablePointer<Float>) {
    let limit = Pairs(repeating: UInt64(call.limit))
    let kept = Pairs(repeating: UInt64(call.kept.bitPattern))
    let target = UnsafeMutableRawPointer(factors)
    @inline(__always)
    func factor(_ words: Pairs) -> Pairs {
      // The difference is negative if the word is below the limit.
      (((words &- limit) &>> 63) &- Pairs(repeating: 1)) & kept
    }
    @inline(__always)
    func store(_ first: Pairs, _ second: Pairs, at place: Int) {
      let both = factor(first) | (factor(second) &<< 32)
      for lane in 0..<8 {
        target.storeBytes(of: both[lane], toByteOffset: lane * 32 + place * 8, as: UInt64.self)
      }
    }
    store(a & Self.low, b & Self.low, at: 0)
    store(c & Self.low, d & Self.low, at: 1)
    store(a &>> 32, b &>> 32, at: 2)
    store(c &>> 32, d &>> 32, at: 3)
  }
}
