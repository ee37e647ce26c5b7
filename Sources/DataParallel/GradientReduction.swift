import MPI
import Tensors
import Threads

/// The reduction of each step's gradient, beside the backward pass where a core is free.
///
///     reduction.begin()
///     model.accumulateGradients(batch, parameters, into: reduction.shards)
///     try reduction.finish()          // now `sum` holds the sum over all ranks
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

  private let reducer: any GradientReducer
  private let bucketBytes: Int
  private let onThread: @Sendable () -> Void
  private var buckets: Buckets
  private var job: BackgroundJob<Void>?

  /// - Parameters:
  ///   - reducer: on a communicator of its own, if it `overlaps`
  ///   - shards: how many this rank owns
  ///   - onThread: called on a new thread first, to set how it rounds
  public init(
    _ reducer: any GradientReducer, layout: ParameterLayout, shards: Int, bucketBytes: Int,
    overlaps: Bool, onThread: @escaping @Sendable () -> Void
  ) {
    self.reducer = reducer
    self.shards = ShardedBuffer(layout, shards: shards)
    self.bucketBytes = bucketBytes
    self.overlaps = overlaps
    self.onThread = onThread
    sum = self.shards.flat.row(0)
    buckets = Buckets(layout.count, bucketBytes: bucketBytes)
  }

  /// Clears the gradients for a backward pass.
  public func begin() {
    shards.flat.fill(0)
    guard overlaps else { return }
    let buckets = Buckets(sum.count, bucketBytes: bucketBytes, final: sum.count)
    self.buckets = buckets
    shards.whenFinal = { buckets.complete(from: $0) }
    let work = Work(reducer: reducer, shards: shards, sum: sum, buckets: buckets)
    let onThread = onThread
    job = BackgroundJob("reduction") {
      onThread()
      try work.run()
    }
  }

  /// Waits until the sum is there. Every rank calls this after its backward pass.
  public func finish() throws(MPIError) {
    buckets.complete(from: 0)
    guard let job else { return try reducer.reduce(shards, into: sum, by: buckets) }
    self.job = nil
    do {
      try job.result()
    } catch {
      throw error as? MPIError ?? .other
    }
  }

  /// What the thread works on. The backward pass writes only to elements that the thread has not
  /// been told of yet.
  private struct Work: @unchecked Sendable {
    let reducer: any GradientReducer
    let shards: ShardedBuffer<Float>
    let sum: Tensor<Float>
    let buckets: Buckets

    func run() throws(MPIError) { try reducer.reduce(shards, into: sum, by: buckets) }
  }
}
