// SPDX-License-Identifier: Apache-2.0

import RandomNumbers
import Reports

/// The trials of a sweep: every combination, or a given number at random.
public enum SweepPlan {
  /// The largest number of trials of a sweep.
  public static let mostTrials = 10_000

  /// The settings of every trial, in order.
  ///
  /// Without a number of trials, lists give every combination; the last key varies fastest. With a
  /// number, that many are drawn: from lists, combinations without repetition, and otherwise each
  /// value on its own. With ranges, trial i of a seed is the same for any
  /// number of trials.
  ///
  /// - Throws: `RunFailure` of status `usage` if a range has no number of trials, a key is given
  ///   twice, or there are too many trials
  public static func trials(
    _ axes: [SweepAxis], count: Int?, seed: UInt64
  ) throws(RunFailure) -> [[SweepRecord.Setting]] {
    for (index, axis) in axes.enumerated()
    where axes[..<index].contains(where: { $0.key == axis.key }) {
      throw RunFailure(.usage, "--sweep \(axis.key): is given twice; give all values at once")
    }
    if let range = axes.first(where: { $0.count == nil }), count == nil {
      throw RunFailure(
        .usage,
        "--sweep \(range.key): values of a range are drawn at random; set how many with --trials")
    }
    let combinations = combinations(axes)
    let wanted = count ?? combinations ?? 0
    guard wanted <= mostTrials else {
      throw RunFailure(
        .usage, "--sweep: \(wanted) trials are more than \(mostTrials); draw some with --trials")
    }
    func settings(_ values: [String]) -> [SweepRecord.Setting] {
      zip(axes, values).map { SweepRecord.Setting(key: $0.key, value: $1) }
    }
    if let combinations, combinations <= mostTrials {
      var order = Array(0..<combinations)
      if wanted < combinations {
        var stream = RandomStream(seed: seed, purpose: .search)
        order = stream.permutation(combinations)
      }
      return order.prefix(wanted).map { settings(combination($0, axes)) }
    }
    return (0..<wanted).map { trial in
      settings(
        axes.enumerated().map { site, axis in
          var stream = RandomStream(seed: seed, purpose: .search, site: site, index: trial)
          return axis.value(at: stream.uniform())
        })
    }
  }

  /// The number of combinations, at most `Int.max`; nil if a key has a range.
  private static func combinations(_ axes: [SweepAxis]) -> Int? {
    var all = 1
    for axis in axes {
      guard let count = axis.count else { return nil }
      let (product, overflow) = all.multipliedReportingOverflow(by: count)
      all = overflow ? .max : product
    }
    return all
  }

  /// The n-th of all combinations of lists.
  private static func combination(_ number: Int, _ axes: [SweepAxis]) -> [String] {
    var (rest, values) = (number, [String]())
    for axis in axes.reversed() {
      guard case .list(let list) = axis.values else { continue }
      values.append(list[rest % list.count])
      rest /= list.count
    }
    return values.reversed()
  }

  /// The epochs at which trials are compared, the last of them all epochs.
  ///
  /// - Parameters:
  ///   - epochs: the epochs of a full trial
  ///   - trials: the number of trials
  ///   - factor: one trial in `factor` continues after each; nil compares only at the end
  public static func rungs(epochs: Int, trials: Int, factor: Int?) -> [Int] {
    var rungs = [epochs]
    guard let factor, factor > 1 else { return rungs }
    var left = trials
    while left > 1, rungs[0] / factor >= 1 {
      rungs.insert(max(rungs[0] / factor, 1), at: 0)
      left = (left + factor - 1) / factor
    }
    return rungs
  }
}
