// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// One flat buffer per virtual shard, one after the other, [shards, P]: the gradients of the shards
/// before they are summed in a fixed order.
public struct ShardedBuffer<Scalar: BitwiseCopyable> {
  /// The parameters and their places in each shard's part.
  public let layout: ParameterLayout
  /// The number of virtual shards.
  public let shards: Int
  /// [shards, P].
  public let flat: Tensor<Scalar>
  /// Called when the gradients of all shards are complete from the element `from` on. They can then
  /// be summed while those before it are still being computed, because backward passes run from the
  /// end of the layout to its start. A backward pass need not call it.
  public var whenFinal: (_ from: Int) -> Void = { _ in }

  /// The same memory without `whenFinal`. Code that keeps a buffer from step to step must keep this
  /// one, because `whenFinal` may hold the work of its step.
  public var withoutListener: ShardedBuffer { ShardedBuffer(layout, over: flat) }

  /// Zeros for `shards` shards.
  public init(_ layout: ParameterLayout, shards: Int) {
    self.init(layout, over: Tensor(shape: [shards, layout.count]))
  }

  /// A view of `flat`, [shards, P].
  public init(_ layout: ParameterLayout, over flat: Tensor<Scalar>) {
    self.layout = layout
    self.flat = flat
    shards = flat.shape[0]
  }

  /// The buffer of one shard.
  public subscript(shard: Int) -> ParameterBuffer<Scalar> {
    ParameterBuffer(layout, over: flat.row(shard))
  }

  /// Views of runs of shards, for threads that work on them in parallel. `whenFinal` of this buffer
  /// is called with the elements that are complete in all of them.
  public func split(_ runs: [Range<Int>]) -> [ShardedBuffer] {
    let progress = Progress(runs.count, start: layout.count)
    return runs.enumerated().map { index, run in
      var part = ShardedBuffer(layout, over: flat.rows(run))
      part.whenFinal = { [whenFinal] in whenFinal(progress.note($0, by: index)) }
      return part
    }
  }

  /// The progress of several backward passes.
  private final class Progress: Sendable {
    private let final: Mutex<[Int]>

    init(_ count: Int, start: Int) { final = Mutex(Array(repeating: start, count: count)) }

    /// - Returns: the element from which on all passes are complete
    func note(_ element: Int, by index: Int) -> Int {
      final.withLock { final in
        final[index] = element
        return final.max()!
      }
    }
  }
}
