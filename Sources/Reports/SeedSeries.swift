// SPDX-License-Identifier: Apache-2.0

import Files
import Foundation

/// Runs of one configuration that differ only in the seed, each in its own folder.
///
///     RUN/seed-1  RUN/seed-2  ...  RUN/seeds.json
public enum SeedSeries {
  /// The folder of one seed.
  public static func folder(_ run: String, seed: UInt64) -> String { "\(run)/seed-\(seed)" }

  /// The path of the summary.
  public static func summaryPath(_ run: String) -> String { "\(run)/seeds.json" }

  /// The folders of the seeds in a run's folder, by seed; empty if it is a single run.
  public static func folders(in run: String) -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: run)) ?? []
    let seeds = names.compactMap { name in
      name.hasPrefix("seed-") ? UInt64(name.dropFirst(5)) : nil
    }
    return seeds.sorted().map { folder(run, seed: $0) }
  }
}

/// The results of runs with several seeds: means and deviations, as in papers.
public struct SeedSummary: Codable, Sendable {
  /// The results of one run.
  public struct Result: Codable, Sendable {
    /// `training.seed` of the run.
    public var seed: UInt64
    /// The best step on validation, or the last one if there is no validation.
    public var step: Int
    /// The finite numbers by name: "validation_loss", "test_accuracy".
    public var values: [String: Double]

    public init(seed: UInt64, step: Int, values: [String: Double]) {
      self.seed = seed
      self.step = step
      self.values = values
    }
  }

  /// A mean and the sample deviation, √(Σ (x - mean)² / (n - 1)).
  public struct Spread: Codable, Sendable, Equatable {
    /// The arithmetic mean.
    public var mean: Double
    /// 0 for one number.
    public var deviation: Double

    /// The spread of at least one number.
    public init(_ values: [Double]) {
      let count = Double(values.count)
      let mean = values.reduce(0, +) / count
      let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
      self.mean = mean
      deviation = count > 1 ? (squares / (count - 1)).squareRoot() : 0
    }
  }

  /// One result for each run, in the order given.
  public var seeds: [Result]
  /// By the names of the results; only for numbers that every seed has.
  public var spreads: [String: Spread]

  /// Summarises the runs of one configuration; at least one.
  public init(_ results: [Result]) {
    seeds = results
    let names = results.first.map { Set($0.values.keys) } ?? []
    let shared = results.reduce(names) { $0.intersection($1.values.keys) }
    spreads = Dictionary(
      uniqueKeysWithValues: shared.map { name in
        (name, Spread(results.map { $0.values[name]! }))
      })
  }

  /// Reads a summary; nil if there is none.
  public init?(contentsOf path: String) {
    guard let data = DurableFiles.ordinaryContents(of: path),
      let summary = try? JSONDecoder().decode(Self.self, from: data)
    else { return nil }
    self = summary
    spreads = spreads.filter { MetricsRecord.isKey($0.key) }
  }

  /// The summary as JSON.
  public var json: String {
    get throws {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
      return String(decoding: try encoder.encode(self), as: UTF8.self)
    }
  }

  /// The summary as text: "test accuracy 93.40 ± 0.25 %, ...".
  public var text: String { text(withDeviations: true) }

  /// Only the means: for one seed, its results.
  public var plainText: String { text(withDeviations: false) }

  private func text(withDeviations: Bool) -> String {
    let order = spreads.keys.sorted { a, b in
      (a.hasPrefix("test") ? 1 : 0, a) < (b.hasPrefix("test") ? 1 : 0, b)
    }
    return order.map { name in
      let spread = spreads[name]!
      let words = name.replacingOccurrences(of: "_", with: " ")
      guard name.hasSuffix("accuracy") else {
        let deviation = withDeviations ? " ± \(brief(spread.deviation, digits: 2))" : ""
        return "\(words) \(brief(spread.mean))\(deviation)"
      }
      let deviation = withDeviations ? String(format: " ± %.2f", 100 * spread.deviation) : ""
      return words + String(format: " %.2f", 100 * spread.mean) + deviation + " %"
    }.joined(separator: ", ")
  }
}
