// SPDX-License-Identifier: Apache-2.0

import MPI
import Tensors
import Threads

/// The reduction of each step's gradient, during the backward pass if a core is free.
///
///     reduction.begin()
///     model.accumulateGradients(batch, parameters, into: reduction.shards)
///     try reduction.finish()          // now `sum` holds the sum over all ranks
///
/// If `begin(touching:)` names the rows that a parameter's gradient touches, only those rows are
/// sent; see `RowReduction`.
///
/// With a worker, its thread sums the upper layers while the lower ones are in their backward pass.
/// It processes the same buckets in the same order as `finish()` would, so the result is
/// bit-identical. After `finish()`, no work of the step remains.
public final class GradientReduction {
  /// The gradients from the backward pass.
  public private(set) var shards: ShardedBuffer<Float>
  /// The sum. It is in the memory of the first shard, so a large model needs no further buffer.
  public let sum: Tensor<Float>
  /// Whether gradients are summed during the backward pass.
  public var overlaps: Bool { worker != nil }

  private let bucketBytes: Int
  private let worker: BackgroundWorker?
  private let reducer: any GradientReducer
  private let rowReduction: RowReduction
  /// The work of the current step; nil between steps.
  private var work: Work?
  /// Whether the current step is summed only in `finish()`.
  private var isHeld = false

  /// - Parameters:
  ///   - reducer: computes the sum; with a worker, it needs a communicator of its own
  ///   - layout: the layout of the parameters
  ///   - shards: the number of shards that this rank owns
  ///   - bucketBytes: the bytes of a bucket
  ///   - alwaysSendsRows: whether touched rows are sent regardless of their number
  ///   - worker: the thread that sums during the backward pass; nil sums in `finish()`. Either all
  ///     ranks have a worker or none has, because a rank with one waits in MPI for the others
  public init(
    _ reducer: any GradientReducer, layout: ParameterLayout, shards: Int, bucketBytes: Int,
    alwaysSendsRows: Bool = false, worker: BackgroundWorker?
  ) {
    self.reducer = reducer
    rowReduction = RowReduction(reducer, bucketBytes: bucketBytes, always: alwaysSendsRows)
    self.shards = ShardedBuffer(layout, shards: shards)
    self.bucketBytes = bucketBytes
    self.worker = worker
    sum = self.shards.flat.row(0)
  }

  /// Clears the gradients for a backward pass.
  ///
  /// - Parameters:
  ///   - rows: the rows of the first parameter that the pass may touch on this rank; nil means all.
  ///     Either every rank gives rows or none does
  ///   - isHeld: whether the shards' gradients must stay unchanged until `finish()`, so that
  ///     nothing is summed before it; the same on every rank
  public func begin(touching rows: TouchedRows? = nil, holding isHeld: Bool = false) {
    precondition(work == nil, "the preceding step is not finished")
    shards.flat.fill(0)
    self.isHeld = isHeld
    let work = work(touching: rows, final: overlaps && !isHeld ? sum.count : 0)
    self.work = work
    guard let worker, !isHeld else { return }
    shards.whenFinal = { work.complete(from: $0) }
    worker.start { try work.run() }
  }

  /// Waits until the sum is complete. Every rank calls this after its backward pass.
  public func finish() throws(MPIError) {
    guard let work else { preconditionFailure("finish() before begin()") }
    defer {
      self.work = nil
      shards = shards.withoutListener
    }
    work.complete(from: 0)
    guard let worker, !isHeld else { return try work.run() }
    do {
      try worker.finish()
    } catch {
      throw error as? MPIError ?? .other
    }
  }

  private func work(touching rows: TouchedRows?, final: Int) -> Work {
    func buckets(_ elements: Range<Int>) -> Buckets {
      Buckets(elements, bucketBytes: bucketBytes, final: final)
    }
    let shards = shards.withoutListener
    guard let rows else { return .whole(reducer, shards, buckets(0..<sum.count)) }
    let middle = rows.entry.range.upperBound
    return .rows(rowReduction, shards, rows, buckets(middle..<sum.count), buckets(0..<middle))
  }

  /// The buckets to sum, on the worker's thread or the caller's. The backward pass writes only to
  /// elements that are not yet complete.
  private enum Work: @unchecked Sendable {
    case whole(any GradientReducer, ShardedBuffer<Float>, Buckets)
    case rows(RowReduction, ShardedBuffer<Float>, TouchedRows, _ others: Buckets, _ own: Buckets)

    func complete(from element: Int) {
      switch self {
      case .whole(_, _, let buckets): buckets.complete(from: element)
      case .rows(_, _, _, let others, let own):
        others.complete(from: element)
        own.complete(from: element)
      }
    }

    func run() throws(MPIError) {
      switch self {
      case .whole(let reducer, let shards, let buckets):
        try reducer.reduce(shards, into: shards.flat.row(0), by: buckets)
      case .rows(let reduction, let shards, let rows, let others, let own):
        try reduction.reduce(shards, touched: rows, others: others, own: own)
      }
    }
  }
}
