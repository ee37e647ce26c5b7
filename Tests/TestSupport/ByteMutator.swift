// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Damage that follows from a seed: flipped bits, zeros, truncations, exchanged and repeated pieces,
/// and, if the format has words, hostile words instead of others.
public struct ByteMutator: RandomNumberGenerator {
  private var state: UInt64
  /// Text to insert, in addition to damage.
  private let words: [String]

  public init(seed: UInt64, words: [String] = []) {
    state = seed
    self.words = words
  }

  /// The number of mutations of a campaign: the environment variable MOMENTUM_DIST_MUTATIONS, or
  /// 300.
  public static let count =
    Int(ProcessInfo.processInfo.environment["MOMENTUM_DIST_MUTATIONS"] ?? "") ?? 300

  /// SplitMix64 (Steele, Lea and Flood 2014, doi:10.1145/2660193.2660195).
  public mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  /// One to three kinds of damage, one after the other.
  public mutating func mutate(_ good: Data) -> Data {
    var data = good
    for _ in 0..<Int.random(in: 1...3, using: &self) where !data.isEmpty { damage(&data, good) }
    return data
  }

  private mutating func damage(_ data: inout Data, _ good: Data) {
    let place = Int.random(in: 0..<data.count, using: &self)
    let length = min(Int.random(in: 1...64, using: &self), data.count - place)
    let range = place..<place + length
    switch Int.random(in: 0..<(words.isEmpty ? 7 : 12), using: &self) {
    case 0: data.removeLast(data.count - place)
    case 1: data.replaceSubrange(range, with: Data(count: length))
    case 2:
      let other = Int.random(in: 0...max(0, good.count - length), using: &self)
      data.replaceSubrange(range, with: good[other..<min(other + length, good.count)])
    case 3: data.insert(contentsOf: data[range], at: place)
    case 4...6:
      for _ in 0..<Int.random(in: 1...4, using: &self) {
        data[Int.random(in: 0..<data.count, using: &self)] ^=
          1 << UInt8.random(in: 0..<8, using: &self)
      }
    default:
      let word = Data((words.randomElement(using: &self) ?? "").utf8)
      data.replaceSubrange(Bool.random(using: &self) ? range : place..<place, with: word)
    }
    data = Data(data)
  }

  /// Reads mutated inputs, each of which must be refused by an error that `judge` accepts, or read.
  ///
  /// - Returns: how many were read and how many refused; they are printed
  @discardableResult
  public static func campaign(
    _ name: String, seed: UInt64, count: Int = ByteMutator.count, words: [String] = [],
    good: Data, read: (Data) throws -> Void, judge: (any Error, Int) -> Void
  ) -> (read: Int, refused: Int) {
    var random = ByteMutator(seed: seed, words: words)
    var tally = (read: 0, refused: 0)
    for number in 0..<count {
      do {
        try read(random.mutate(good))
        tally.read += 1
      } catch {
        judge(error, number)
        tally.refused += 1
      }
    }
    print("\(name): \(count) mutations, \(tally.read) read, \(tally.refused) refused")
    return tally
  }
}
