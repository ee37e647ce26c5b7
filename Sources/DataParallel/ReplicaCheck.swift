// SPDX-License-Identifier: Apache-2.0

import MPI
import Tensors

/// Checks whether all ranks hold the same parameters, bit for bit, and names those that do not.
///
/// Every rank computes the same update from the same sum, so replicas stay equal unless memory, a
/// message or the program is at fault. Each rank sends 8 bytes per check.
public struct ReplicaCheck {
  /// A rank whose parameters differ from the majority's.
  public struct OddReplica: Sendable, Hashable {
    /// Its rank in the communicator.
    public let rank: Int
    /// The name of its host, as MPI knows it.
    public let host: String
  }

  private let communicator: Communicator

  public init(_ communicator: Communicator) {
    self.communicator = communicator
  }

  /// Returns the ranks whose numbers differ from those of the majority, in order; empty if all
  /// agree. The result is the same on every rank. Without a majority of more than half of the
  /// ranks, as with 2 ranks that differ, it is all ranks.
  public func oddReplicas(of numbers: Tensor<Float>) throws(MPIError) -> [OddReplica] {
    let odd = Self.odd(try communicator.allgather(Self.hash(numbers)))
    if odd.isEmpty { return [] }
    let hosts = try communicator.allgather(Array(Environment.processorName.utf8))
    return odd.map { OddReplica(rank: $0, host: String(decoding: hosts[$0], as: UTF8.self)) }
  }

  /// The positions of the hashes that differ from the majority's.
  static func odd(_ hashes: [UInt64]) -> [Int] {
    if Set(hashes).count <= 1 { return [] }
    let counts = Dictionary(grouping: hashes, by: { $0 }).mapValues(\.count)
    let majority = counts.first { 2 * $0.value > hashes.count }?.key
    return hashes.indices.filter { hashes[$0] != majority }
  }

  /// The XXH64 hash of the bytes of the numbers, with seed 0.
  ///
  /// Four lanes take 64-bit words in turn, and a core computes them in parallel:
  ///
  ///     lane ← rotate(lane + word·prime2, 31)·prime1
  ///
  /// A round is a bijection of the lane for any word, and of the word for any lane. So a change of
  /// one word, such as a flipped bit, always changes its lane.
  ///
  /// See Y. Collet, "xxHash fast digest algorithm", draft-eastlake-xxhash-00.
  static func hash(_ numbers: Tensor<Float>) -> UInt64 {
    let bytes = UnsafeRawBufferPointer(
      UnsafeBufferPointer(start: numbers.pointer, count: numbers.count))
    var hash = prime5
    var offset = 0
    if bytes.count >= 32 {
      var lanes = SIMD4<UInt64>(prime1 &+ prime2, prime2, 0, 0 &- prime1)
      while offset + 32 <= bytes.count {
        for lane in 0..<4 { lanes[lane] = round(lanes[lane], word(bytes, offset + 8 * lane)) }
        offset += 32
      }
      hash =
        rotate(lanes[0], 1) &+ rotate(lanes[1], 7) &+ rotate(lanes[2], 12) &+ rotate(lanes[3], 18)
      for lane in 0..<4 { hash = (hash ^ round(0, lanes[lane])) &* prime1 &+ prime4 }
    }
    hash &+= UInt64(bytes.count)
    while offset + 8 <= bytes.count {
      hash = rotate(hash ^ round(0, word(bytes, offset)), 27) &* prime1 &+ prime4
      offset += 8
    }
    if offset < bytes.count {  // half a word: one number
      let last = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
      hash = rotate(hash ^ UInt64(last) &* prime1, 23) &* prime2 &+ prime3
    }
    hash = (hash ^ hash >> 33) &* prime2
    hash = (hash ^ hash >> 29) &* prime3
    return hash ^ hash >> 32
  }

  private static func word(_ bytes: UnsafeRawBufferPointer, _ offset: Int) -> UInt64 {
    UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
  }

  private static func round(_ lane: UInt64, _ word: UInt64) -> UInt64 {
    rotate(lane &+ word &* prime2, 31) &* prime1
  }

  private static func rotate(_ value: UInt64, _ bits: UInt64) -> UInt64 {
    value << bits | value >> (64 - bits)
  }
}

// The constants of XXH64.
private let prime1: UInt64 = 0x9E37_79B1_85EB_CA87
private let prime2: UInt64 = 0xC2B2_AE3D_27D4_EB4F
private let prime3: UInt64 = 0x1656_67B1_9E37_79F9
private let prime4: UInt64 = 0x85EB_CA77_C2B2_AE63
private let prime5: UInt64 = 0x27D4_EB2F_1656_67C5
