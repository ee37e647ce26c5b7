// SPDX-License-Identifier: Apache-2.0

import RandomNumbers

/// How an epoch cuts columns of L tokens into consecutive chunks, until fewer than two tokens are
/// left to predict.
///
///     base length: 70 with probability 0.95, else 35 (of base 70)
///     length = max(5, ⌊N(base, 5)⌋)                      Merity, Keskar and Socher, 2018
///
/// The lengths depend on the seed, the epoch and the number of the chunk, so all ranks use the same
/// lengths.
public struct ChunkPlan: Sendable {
  /// The input tokens of each chunk. The targets are one step later.
  public let chunks: [Range<Int>]

  private static let shareOfWhole = 0.95
  private static let deviation = 5.0
  private static let shortest = 5

  /// Chunks of equal length, the last one shorter, that predict every token but the first.
  public init(length L: Int, chunk: Int) {
    precondition(L >= 2 && chunk >= 1, "chunks of \(chunk) in columns of \(L)")
    chunks = stride(from: 0, to: L - 1, by: chunk).map { $0..<min($0 + chunk, L - 1) }
  }

  /// Chunks of random length, by the formula above.
  ///
  /// - Parameters:
  ///   - L: the tokens of a column
  ///   - base: the base length
  ///   - seed: the seed of the run
  ///   - epoch: from 0
  public init(length L: Int, base: Int, seed: UInt64, epoch: Int) {
    precondition(L >= 2 && base >= 1, "chunks of \(base) in columns of \(L)")
    var chunks: [Range<Int>] = []
    var start = 0
    // The authors stop when two tokens are left. Here a column of two is still one chunk.
    while start < L - 2 || chunks.isEmpty {
      var stream = RandomStream(
        seed: seed, purpose: .chunkLength, step: epoch, index: chunks.count)
      let centre = stream.uniform() < Self.shareOfWhole ? Double(base) : Double(base) / 2
      let drawn = max(Self.shortest, Int(centre + Self.deviation * stream.normal()))
      let end = min(start + drawn, L - 1)
      chunks.append(start..<end)
      start = end
    }
    self.chunks = chunks
  }
}
