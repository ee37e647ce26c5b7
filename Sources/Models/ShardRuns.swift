// SPDX-License-Identifier: Apache-2.0

/// How the shards of a rank are distributed over its threads.
///
/// Each shard is summed by a single thread, and the sum over shards has a fixed order: so the
/// number of threads, like that of ranks, does not change any bit.
enum ShardRuns {
  /// Runs of neighbouring shards for each thread, as even as possible; fewer runs than threads if
  /// there are fewer shards.
  static func cut(_ shards: Int, threads: Int) -> [Range<Int>] {
    let runs = max(min(threads, shards), 1)
    return (0..<runs).map { shards * $0 / runs..<shards * ($0 + 1) / runs }
  }
}
