import Foundation
import TestSupport
import Testing

@testable import Configuration

/// Damaged and hostile configurations: refused in one line, or read.
@Suite struct ConfigurationMutationTests {
  static let words = [
    "{", "}", "[", "]", ": ", "- ", "&a", "*a", "&a [*a, *a]", "<<: *a", "!!binary ", "!!set ",
    "|\n",
    ">-\n", "\t", "'", "\"", "#", "---\n", "...\n", "%YAML 9.9\n", "? ", "~", "null", "yes", ".nan",
    ".inf", "-1", "1e999", "0x10", "99999999999999999999", "2001-01-01", "\u{0}", "\u{FEFF}",
    "\u{85}",
    "é", "model:", "model.mu: 1", "seed:", String(repeating: "[", count: 3000),
    String(repeating: " ", count: 3000) + "x",
  ]

  @Test func noConfigurationCrashes() throws {
    let good = Data(TrainingConfiguration().yaml.utf8)
    let tally = ByteMutator.campaign("YAML", seed: 12, words: Self.words, good: good) { data in
      _ = try TrainingConfiguration(yaml: String(decoding: data, as: UTF8.self), path: "run.yaml")
    } judge: { error, number in
      #expect(error is ConfigurationError, "\(number): \(error)")
      #expect(!"\(error)".contains("\n"), "\(number): \(error)")
    }
    #expect(tally.refused > ByteMutator.count / 20, "\(tally)")
  }

  /// References to references, of which ten levels would be ten thousand million words.
  @Test func aConfigurationThatGrowsWithoutEndIsRefused() {
    var yaml = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    for level in 1..<10 {
      let ones = Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
      yaml += "a\(level): &a\(level) [\(ones)]\n"
    }
    #expect(throws: ConfigurationError.self) {
      try TrainingConfiguration(yaml: yaml, path: "run.yaml")
    }
  }
}
