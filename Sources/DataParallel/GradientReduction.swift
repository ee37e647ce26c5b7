import MPI
import Tensors
import Threads

/// The reduction of each step's gradient, beside the backward pass where a core is free.
///
///     reduction.begin()
///     model.accumulateGradients(batch, parameters, into: reduction.shards)
///     try reduction.finish()          // now `sum` holds the sum over all ranks
///
/// Of a parameter whose gradient touches few rows, as `begin(touching:)` is told, the rows alone are
/// sent; see `RowReduction`.
///
/// With `overlaps`, a thread sums the layers above while the layers below are in backward. It does
/// what `finish()` would do without it, bucket for bucket in the same order, so the bits are the
/// same, and ranks may decide differently.
public final class GradientReduction {
  /// Where the backward pass leaves the gradients.
  public private(set) var shards: ShardedBuffer<Float>
  /// The sum, in the memory of the first shard: a large model needs no copy for it.
  public let sum: Tensor<Float>
  public let overlaps: Bool

  private let bucketBytes: Int
  private let onThread: @Sendable () -> Void
  private let reducer: any GradientReducer
  private let rowReduction: RowReduction
  private var work: Work
  private var job: BackgroundJob<Void>?

  /// - Parameters:
  ///   - reducer: on a communicator of its own, if it `overlaps`
  ///   - shards: how many this rank owns
  ///   - alwaysSendsRows: whether touched rows are sent however many they are
  ///   - onThread: called on a new thread first, to set how it rounds
  public init(
    _ reducer: any GradientReducer, layout: ParameterLayout, shards: Int, bucketBytes: Int,
    overlaps: Bool, alwaysSendsRows: Bool = false, onThread: @escaping @Sendable () -> Void
  ) {
    self.reducer = reducer
    rowReduction = RowReduction(reducer, bucketBytes: bucketBytes, always: alwaysSendsRows)
    self.shards = ShardedBuffer(layout, shards: shards)
    self.bucketBytes = bucketBytes
    self.overlaps = overlaps
    self.onThread = onThread
    sum = self.shards.flat.row(0)
    work = .whole(reducer, self.shards, Buckets(layout.count, bucketBytes: bucketBytes))
  }

  /// Clears the gradients for a backward pass.
  ///
  /// - Parameter rows: those of the first parameter that the pass may touch on this rank; nil is
  ///   all. Every rank gives rows, or none does.
  public func begin(touching rows: TouchedRows? = nil) {
    shards.flat.fill(0)
    let work = work(touching: rows, final: overlaps ? sum.count : 0)
    self.work = work
    guard overlaps else { return }
    shards.whenFinal = { work.complete(from: $0) }
    let onThread = onThread
    job = BackgroundJob("reduction") {
      onThread()
      try work.run()
    }
  }

  /// Waits until the sum is there. Every rank calls this after its backward pass.
  public func finish() throws(MPIError) {
    work.complete(from: 0)
    guard let job else { return try work.run() }
    self.job = nil
    do {
      try job.result()
    } catch {
      throw error as? MPIError ?? .other
    }
  }

  private func work(touching rows: TouchedRows?, final: Int) -> Work {
    func buckets(_ elements: Range<Int>) -> Buckets {
      Buckets(elements, bucketBytes: bucketBytes, final: final)
    }
    guard let rows else { return .whole(reducer, shards, buckets(0..<sum.count)) }
    let middle = rows.entry.range.upperBound
    return .rows(rowReduction, shards, rows, buckets(middle..<sum.count), buckets(0..<middle))
  }

  /// What is summed, by a thread or without one. The backward pass writes only to elements that the
  /// thread has not been told of yet.
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
