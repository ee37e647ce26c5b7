// SPDX-License-Identifier: Apache-2.0

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

  /// References as keys, which a parser compares with each other: in each level twice the one before.
  @Test(
    .timeLimit(.minutes(15)),
    arguments: [
      "? &aN [*aM, *aM]\n: 1\n", "aN: &aN {? *aM : *aM}\n", "aN: &aN {\"x\":*aM,\"y\":*aM}\n",
      "aN: &aN\n  <<: *aM\n  bN: *aM\n",
    ])
  func referencesAreFew(level: String) {
    let levels = (1...40).map { number in
      level.replacing("N", with: "\(number)").replacing("M", with: "\(number - 1)")
    }
    let error = #expect(throws: ConfigurationError.self) {
      try TrainingConfiguration(yaml: "a0: &a0 {x: 1}\n" + levels.joined(), path: "run.yaml")
    }
    #expect(error?.description.hasPrefix("run.yaml: has 80 references (*name)") == true)
  }

  @Test func aFewReferencesAreRead() throws {
    let yaml = "model: {mu: &m 0.25}\noptimizer: {beta1: *m, beta2: *m}\n"
    let read = try TrainingConfiguration(yaml: yaml + "optimizer.name: adam\n", path: "a")
    #expect(read.model.mu == 0.25 && read.optimizer.beta1 == 0.25)
    #expect(throws: Never.self) {
      try YAMLBounds.check("file: data/*.h5, a*b, x/**/*.h5 # 3 * 4 ** 2 */ *\n", path: "a")
    }
  }

  /// A star in a comment or in a quoted value refers to nothing.
  @Test func starsInCommentsAndQuotesAreNoReferences() throws {
    let words = String(repeating: " *word* *x", count: 9)
    for yaml in [
      "#\(words)\nepochs: 3 #\(words)\n", "dataset.file: \"a\(words) # \\\" *x\"\n",
      "dataset.file: 'it''s\(words)' #\(words)\n", "# it's\(words)\nepochs: 3\n",
      "model: {cell: \"lstm\"} #\(words)\n",
    ] {
      #expect(throws: Never.self, "\(yaml)") { try YAMLBounds.check(yaml, path: "a") }
    }
    let read = try TrainingConfiguration(yaml: "epochs: 3 #\(words)\n", path: "a")
    #expect(read.epochs == 3)
  }

  /// Text that looks like a comment or a quoted value but is neither for a parser. Each line has a
  /// reference that counts.
  @Test(arguments: [
    "kN: [\"a #\", *a]\n", "kN: [it 's, *a, 's]\n", "kN, \"b: *a # \"\n",
    "kN: [a\n  \"b, *a, b\"]\n",
    "kN: [\"a\n  # \", *a]\n", "kN: 1 # \u{85}lN: *a\n", "kN: 1 # \u{2028}lN: *a\n",
    "kN: 1 # \rlN: *a\n",
    "kN: {x: \"\\\\\", y: *a}\n", "kN: {x: 'a\\', y: *a, z: '1'}\n", "kN: [a#b, *a]\n",
    "kN: a\n  'b\nlN: *a #'\n", "kN: {x: \"a\n\", y: *a, z: \"1\"}\n",
  ])
  func hiddenReferencesCount(line: String) {
    let lines = (1...20).map { line.replacing("N", with: "\($0)") }.joined()
    let error = #expect(throws: ConfigurationError.self, "\(line)") {
      try YAMLBounds.check("a: &a {x: 1}\n" + lines, path: "run.yaml")
    }
    #expect(error?.description.contains("references (*name)") == true)
  }

  @Test func textsAndKeysAreOfBoundedLength() {
    func problem(_ yaml: String) -> String? {
      #expect(throws: ConfigurationError.self) {
        try TrainingConfiguration(yaml: yaml, path: "run.yaml")
      }?.description
    }
    let key = String(repeating: "k", count: 3_000_000)
    #expect(
      problem("\(key.prefix(1000)): 1\n")?.hasPrefix("run.yaml:1: a key of 1000 bytes") == true)
    #expect(problem("? \(key)\n: 1\n")?.contains("has more than 1048576 bytes") == true)
    let many = (0...YAMLBounds.mostKeys).map { "k\($0): 1\n" }.joined()
    #expect(problem(many)?.contains("has more than 10000 keys") == true)
    let error = #expect(throws: ConfigurationError.self) {
      try TrainingConfiguration(yaml: "", path: "a", assignments: ["\(key)=1"])
    }
    #expect(error?.description.count ?? 1000 < 300)
  }

  /// Configurations that the program wrote, and those that a person wrote or extended.
  @Test func resolvedTextsAreKnown() {
    let own = TrainingConfiguration().yaml
    #expect(GivenValues.isResolved(own))
    #expect(
      !GivenValues.isResolved("# mine\n" + own) && !GivenValues.isResolved(own + "  # mine\n"))
    #expect(!GivenValues.isResolved("epochs: 3\n") && !GivenValues.isResolved("{"))
    let old = try? String(
      contentsOfFile: Places.fixtures + "/resolved-configuration-v1.yaml", encoding: .utf8)
    #expect(old.map(GivenValues.isResolved) == true, "that of an older version")
  }

  /// References to references. Ten levels would be ten thousand million words.
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
