// SPDX-License-Identifier: Apache-2.0

import RandomNumbers

/// The order in which an epoch visits the sequences: a permutation of the global index, keyed by
/// seed and epoch, and cut into global batches.
public struct EpochOrder: Sendable {
  private let order: [Int]
  /// The number of the batch in place k.
  private let batchOrder: [Int]
  /// Sequences per batch, over all ranks.
  public let batchSize: Int

  /// - Parameters:
  ///   - count: the number of sequences
  ///   - batchSize: sequences per batch, over all ranks
  ///   - seed: the seed of the run
  ///   - epoch: from 0
  ///   - length: the length of a sequence, if lengths differ. A batch then takes sequences of about
  ///     one length, and the batches come in random order
  ///   - classes: the class of each sequence, to draw as many of each class on average; nil takes
  ///     every sequence once
  public init(
    count: Int, batchSize: Int, seed: UInt64, epoch: Int, length: ((Int) -> Int)? = nil,
    balancing classes: [Int32]? = nil
  ) {
    var stream = RandomStream(seed: seed, purpose: .shuffle, step: epoch)
    var order = classes.map { Self.drawn($0, seed, epoch) } ?? stream.permutation(count)
    let batches = Self.batches(of: count, batchSize: batchSize)
    if let length {
      // Sorting within windows keeps batches both homogeneous and different in every epoch.
      let window = batchSize * Self.batchesPerWindow
      for start in stride(from: 0, to: count, by: window) {
        let range = start..<min(start + window, count)
        let lengths = order[range].enumerated().map { (length($1), $0, $1) }
        order.replaceSubrange(range, with: lengths.sorted { ($0.0, $0.1) < ($1.0, $1.1) }.map(\.2))
      }
      // A short last batch stays last.
      let whole = count / batchSize
      batchOrder = stream.permutation(whole) + Array(whole..<batches)
    } else {
      batchOrder = Array(0..<batches)
    }
    self.order = order
    self.batchSize = batchSize
  }

  /// Draws as many sequences as there are, each independently: first a class, with equal
  /// probability for all that occur, then a sequence of it.
  private static func drawn(_ classes: [Int32], _ seed: UInt64, _ epoch: Int) -> [Int] {
    var members: [Int32: [Int]] = [:]
    for (index, label) in classes.enumerated() { members[label, default: []].append(index) }
    let groups = members.sorted { $0.key < $1.key }.map(\.value)
    var stream = RandomStream(seed: seed, purpose: .balancing, step: epoch)
    return classes.indices.map { _ in
      let group = groups[stream.below(groups.count)]
      return group[stream.below(group.count)]
    }
  }

  /// The order of the indices themselves, for evaluation.
  public init(inOrder count: Int, batchSize: Int) {
    order = Array(0..<count)
    batchOrder = Array(0..<Self.batches(of: count, batchSize: batchSize))
    self.batchSize = batchSize
  }

  /// The number of batches within which sequences are sorted by length.
  private static let batchesPerWindow = 16

  /// The number of batches of `count` sequences; the last may be short.
  public static func batches(of count: Int, batchSize: Int) -> Int {
    (count + batchSize - 1) / batchSize
  }

  /// Batches per epoch; the last may be short.
  public var batches: Int { batchOrder.count }

  /// The sequences of one global batch.
  public func batch(_ index: Int) -> ArraySlice<Int> {
    let start = batchOrder[index] * batchSize
    return order[start..<min(start + batchSize, order.count)]
  }
}
