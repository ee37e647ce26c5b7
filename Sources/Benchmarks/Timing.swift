// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
  import Glibc
#endif

/// Times repeated work. Machines drift, so reports have medians.
enum Timing {
  /// The seconds that each of `repeats` calls took, after `warmup` calls that do not count.
  static func seconds(
    repeats: Int, warmup: Int, _ body: () throws -> Void
  ) rethrows -> [Double] {
    for _ in 0..<warmup { try body() }
    let clock = ContinuousClock()
    return try (0..<repeats).map { _ in
      try clock.measure(body).inSeconds
    }
  }

  /// The middle of a list of numbers.
  static func median(_ values: some Collection<Double>) -> Double {
    let sorted = values.sorted()
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  }
}

extension Duration {
  /// The duration in seconds.
  var inSeconds: Double {
    Double(components.seconds) + Double(components.attoseconds) * 1e-18
  }
}
