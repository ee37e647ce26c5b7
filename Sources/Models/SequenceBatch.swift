// SPDX-License-Identifier: Apache-2.0

import Kernels
import Layers
import Tensors

/// Some sequences with their targets, on one rank.
public struct SequenceBatch<Scalar: KernelScalar> {
  /// The input, time first: [T, N, C].
  public var x: Tensor<Scalar>
  /// The answers, in the order of the rows.
  public var targets: SequenceTargets
  /// The valid time steps of each row, at least 1; nil if all are T.
  public var lengths: [Int]?
  /// The time of each step, [T, N]; nil means 0, 1, 2 ...
  public var times: Tensor<Double>?
  /// Shard s of this rank owns the rows `rowStarts[s] ..< rowStarts[s + 1]`.
  public var rowStarts: [Int]
  /// The key of dropout in training; nil drops nothing.
  public var noise: SequenceNoise?

  public init(
    x: Tensor<Scalar>, targets: SequenceTargets, lengths: [Int]? = nil,
    times: Tensor<Double>? = nil, rowStarts: [Int]
  ) {
    precondition(x.shape.count == 3, "a batch is [T, N, C], not \(x.shape)")
    precondition(
      rowStarts.first == 0 && rowStarts.last == x.shape[1],
      "row starts \(rowStarts) do not cut \(x.shape[1]) rows")
    precondition(
      lengths == nil
        || lengths!.count == x.shape[1] && lengths!.allSatisfy { $0 >= 1 && $0 <= x.shape[0] },
      "lengths \(lengths ?? []) do not fit \(x.shape)")
    precondition(
      times == nil || times!.shape == Array(x.shape.prefix(2)),
      "times \(times?.shape ?? []) do not fit \(x.shape)")
    self.x = x
    self.targets = targets
    self.lengths = lengths
    self.times = times
    self.rowStarts = rowStarts
  }

  /// `times` counted from the first step of each row, as layers need them.
  public var elapsed: Tensor<Double>? {
    guard let times, times.count > 0 else { return times }
    let (T, N) = (times.shape[0], times.shape[1])
    let result = Tensor<Double>(shape: times.shape)
    for t in 0..<T {
      for n in 0..<N { result[t * N + n] = times[t * N + n] - times[n] }
    }
    return result
  }

  /// The number of shards.
  public var shards: Int { rowStarts.count - 1 }

  /// The rows of [T·N] of all valid steps of each of the sequences `rows`.
  func validRows(of rows: Range<Int>) -> [[Int]] {
    let (T, N) = (x.shape[0], x.shape[1])
    return rows.map { n in (0..<(lengths?[n] ?? T)).map { $0 * N + n } }
  }

  /// The rows of [T·N] that the read-out sees for the sequences `rows`: every valid step, sequence
  /// by sequence, or only the last one of each, which is step 0 in the reverse direction.
  func readOutRows(of rows: Range<Int>, isReverse: Bool) -> [Int] {
    let (T, N) = (x.shape[0], x.shape[1])
    return rows.flatMap { n -> [Int] in
      let length = lengths?[n] ?? T
      if targets.isEveryStep { return (0..<length).map { $0 * N + n } }
      return [isReverse ? n : (length - 1) * N + n]
    }
  }

  /// The sequences of only some shards, copied to `workspace`.
  func part(shards: Range<Int>, in workspace: Workspace<Scalar>) -> SequenceBatch {
    let rows = rowStarts[shards.lowerBound]..<rowStarts[shards.upperBound]
    let (T, N) = (x.shape[0], x.shape[1])
    let (width, steps) = (x.shape[2], Array(0..<T))
    let part = workspace.tensor("part.x", [T, rows.count, width])
    part.copy(
      rows.count * width, columnsOf: x,
      RowSelection(steps, width: N * width, column: rows.lowerBound * width),
      to: RowSelection(steps, width: rows.count * width))
    var batch = SequenceBatch(
      x: part, targets: targets.sequences(rows, of: N), lengths: lengths.map { Array($0[rows]) },
      times: times.map { Self.columns(rows, of: $0) },
      rowStarts: rowStarts[shards.lowerBound...shards.upperBound].map { $0 - rows.lowerBound })
    batch.noise = noise?.rows(rows)
    return batch
  }

  /// The times of some rows, copied.
  private static func columns(_ rows: Range<Int>, of times: Tensor<Double>) -> Tensor<Double> {
    let (T, N) = (times.shape[0], times.shape[1])
    let part = Tensor<Double>(shape: [T, rows.count])
    for t in 0..<T {
      for n in rows { part[t * rows.count + n - rows.lowerBound] = times[t * N + n] }
    }
    return part
  }
}
