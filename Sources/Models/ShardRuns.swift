/// How the shards of a rank are shared out to its threads.
///
/// Each shard's sums are taken by one thread alone, and the sum over shards has a fixed order: so
/// the number of threads, like that of ranks, changes no bit.
enum ShardRuns {
  /// Neighbouring shards for each thread, as even as can be; fewer runs than threads where there
  /// are fewer shards.
  static func cut(_ shards: Int, threads: Int) -> [Range<Int>] {
    let runs = max(min(threads, shards), 1)
    return (0..<runs).map { shards * $0 / runs..<shards * ($0 + 1) / runs }
  }
}
