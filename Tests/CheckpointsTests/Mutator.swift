// SPDX-License-Identifier: Apache-2.0

import Foundation

@testable import Checkpoints

/// Damages a checkpoint in ways that follow from a seed.
struct Mutator {
  enum Kind: CaseIterable {
    case flippedManifest, truncatedManifest, flippedShard, truncatedShard, lengthenedShard
    case zeroedShard, swappedShards, deletedShard, editedManifest, swappedAndSealed

    /// Whether the manifest has a good checksum of itself afterwards.
    var isSealed: Bool { self == .editedManifest || self == .swappedAndSealed }
  }

  /// SplitMix64 (Steele, Lea and Flood 2014, doi:10.1145/2660193.2660195).
  private struct Generator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
      state &+= 0x9e37_79b9_7f4a_7c15
      var z = state
      z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
      z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
      return z ^ (z >> 31)
    }
  }

  private var generator: Generator
  private let seed: UInt64

  init(seed: UInt64) {
    self.seed = seed
    generator = Generator(state: seed)
  }

  mutating func mutate(_ files: inout CheckpointFiles) throws -> Kind {
    // Edits have the most ways to differ: every second mutation is one.
    let others = Kind.allCases.filter { $0 != .editedManifest }
    let kind: Kind = seed % 2 == 0 ? .editedManifest : others[Int(seed / 2) % others.count]
    let shard = Int.random(in: 0..<files.shards.count, using: &generator)
    let other = (shard + 1) % files.shards.count
    var data = files.shards[shard] ?? Data()
    switch kind {
    case .flippedManifest: flip(&files.manifest)
    case .truncatedManifest: truncate(&files.manifest)
    case .flippedShard: flip(&data)
    case .truncatedShard: truncate(&data)
    case .lengthenedShard: data.append(0)
    case .zeroedShard:
      // From the start, where HDF5 has its own data.
      let count = Int.random(in: 1...data.count, using: &generator)
      data.replaceSubrange(0..<count, with: Data(count: count))
    case .swappedShards, .swappedAndSealed: files.shards.swapAt(shard, other)
    case .deletedShard: files.shards[shard] = nil
    case .editedManifest: try Self.edit(&files.manifest) { try mutate(json: $0) }
    }
    if [.flippedShard, .truncatedShard, .lengthenedShard, .zeroedShard].contains(kind) {
      files.shards[shard] = data
    }
    if kind == .swappedAndSealed {
      try Self.edit(&files.manifest) { Self.swapEntries($0, shard, other) }
    }
    return kind
  }

  private mutating func flip(_ data: inout Data) {
    let first = Int.random(in: 0..<data.count, using: &generator)
    data[first] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
    for _ in 0..<Int.random(in: 0..<4, using: &generator) {
      let place = Int.random(in: 0..<data.count, using: &generator)
      if place != first { data[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator) }
    }
  }

  private mutating func truncate(_ data: inout Data) {
    data.removeLast(Int.random(in: 1...data.count, using: &generator))
  }

  /// Changes a manifest and gives it a good checksum.
  private static func edit(
    _ data: inout Data, _ change: (Any) throws -> Any
  ) throws {
    let object = try JSONSerialization.jsonObject(with: data)
    let seal = (object as? [String: Any])?["manifest_sha256"] as? String ?? ""
    let edited = try JSONSerialization.data(
      withJSONObject: try change(object), options: [.sortedKeys, .withoutEscapingSlashes])
    data = Data(
      CheckpointManifest.seal(String(decoding: edited, as: UTF8.self), inPlaceOf: seal).utf8)
  }

  /// The bytes and checksums of two files exchanged, with their names left in place.
  private static func swapEntries(_ json: Any, _ a: Int, _ b: Int) -> Any {
    guard var object = json as? [String: Any], var files = object["files"] as? [[String: Any]]
    else { return json }
    for key in ["bytes", "sha256"] {
      (files[a][key], files[b][key]) = (files[b][key], files[a][key])
    }
    object["files"] = files
    return object
  }

  /// Puts something hostile somewhere into a JSON value, or takes something away.
  private mutating func mutate(json: Any) throws -> Any {
    if let object = json as? [String: Any],
      let key = object.keys.sorted().randomElement(
        using: &generator)
    {
      var object = object
      switch Int.random(in: 0..<8, using: &generator) {
      case 0: object[key] = nil
      case 1: object[key] = hostileValue()
      default: object[key] = try object[key].map { try mutate(json: $0) }
      }
      return object
    }
    if let array = json as? [Any], !array.isEmpty {
      var array = array
      let index = Int.random(in: 0..<array.count, using: &generator)
      switch Int.random(in: 0..<8, using: &generator) {
      case 0: array.remove(at: index)
      case 1: array.append(array[index])
      case 2: array.swapAt(index, (index + 1) % array.count)
      default: array[index] = try mutate(json: array[index])
      }
      return array
    }
    return hostileValue()
  }

  private mutating func hostileValue() -> Any {
    let values: [Any] = [
      -1, 0, 1, Int.max, Int.min, 1 << 40, 1 << 62, 1e300, -1e300, 0.5, "", "/", "..", "../x",
      "/etc/passwd", "a/../../b", "a\nb", "a\u{0}b", String(repeating: "x", count: 100_000),
      NSNull(), true, [Any](), [String: Any](), [1 << 31, 1 << 31, 1 << 31], [0, 1 << 62, 4],
      [-1, -1], Array(repeating: 1, count: 1000), Array(repeating: 1 << 20, count: 3),
    ]
    return values.randomElement(using: &generator) ?? 0
  }
}
