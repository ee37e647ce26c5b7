// SPDX-License-Identifier: Apache-2.0

import Tensors

/// A digest of a rank's results for one virtual shard. Two ranks that compute the same shard have
/// the same digest, and a single wrong bit changes it.
///
/// Its words are XXH64 hashes: of the parameters, of the totals, and of the gradient of each
/// parameter. It reads the parameters once and the gradient twice, and has 8 bytes per parameter
/// tensor.
public struct ShardDigest: Sendable, Hashable {
  /// The parameters, the totals, then the gradient of each entry of the layout.
  public let words: [UInt64]

  /// - Parameters:
  ///   - parameters: the parameters that the shard was computed with
  ///   - totals: the sums of the shard
  ///   - gradient: the gradient of the shard
  public init(
    _ parameters: ParameterBuffer<Float>, totals: [Double], gradient: ParameterBuffer<Float>
  ) {
    let halves = totals.flatMap {
      [UInt32($0.bitPattern >> 32), UInt32(truncatingIfNeeded: $0.bitPattern)]
    }
    let isFinite = totals.allSatisfy(\.isFinite)
    words =
      [
        ReplicaCheck.hash(parameters.flat),
        isFinite
          ? ReplicaCheck.hash(Tensor(halves.map { Float(bitPattern: $0) })) : Self.notFinite,
      ]
      + gradient.layout.entries.map { Self.word(gradient[$0]) }
  }

  /// The words that another rank sent.
  public init(words: [UInt64]) { self.words = words }

  /// How many words a digest has.
  public static func count(_ layout: ParameterLayout) -> Int { 2 + layout.entries.count }

  /// Returns where the results of another rank first differ, for a message; nil if all bits agree.
  ///
  /// It is "the parameters", or "the gradient of" the differing tensor that is nearest to the loss:
  /// a backward pass spreads a wrong number from the end of the layout to its start.
  public func firstDifference(from other: ShardDigest, _ layout: ParameterLayout) -> String? {
    precondition(words.count == other.words.count, "digests of two models")
    if words == other.words { return nil }
    if words[0] != other.words[0] { return "the parameters" }
    let entry = layout.entries.indices.last { words[2 + $0] != other.words[2 + $0] }
    return entry.map { "the gradient of \(layout.entries[$0].name)" } ?? "the sums of the loss"
  }

  /// Stands for all numbers that are not finite. The bits of a NaN depend on the order of the
  /// operands, and the run ends as diverged anyway.
  private static let notFinite: UInt64 = 0x7ff8_0000_0000_0000

  private static func word(_ numbers: Tensor<Float>) -> UInt64 {
    numbers.firstNotFinite == nil ? ReplicaCheck.hash(numbers) : notFinite
  }
}
