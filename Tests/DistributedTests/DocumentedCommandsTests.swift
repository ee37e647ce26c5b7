// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// Every command in README.md, CONTRIBUTING.md and the DocC articles is one that the program takes.
@Suite struct DocumentedCommandsTests {
  /// The documents, by their paths in the package.
  static let documents: [String] = {
    var found = [
      "README.md", "MANUAL.md", "CONTRIBUTING.md", "Benchmarks/README.md", "Examples/README.md",
    ]
    let sources = FileManager.default.enumerator(atPath: "\(Places.package)/Sources")
    while let path = sources?.nextObject() as? String {
      if path.contains(".docc/"), path.hasSuffix(".md") { found.append("Sources/\(path)") }
    }
    return found.sorted()
  }()

  /// Runs the script on a document; the program is that of this build.
  private func check(_ arguments: [String], in folder: String) throws -> Program.Outcome {
    try Program.script(
      "check-commands", ["--program", "\(Program.products)/momentum-dist"] + arguments,
      in: folder, deadline: 600)
  }

  @Test(arguments: documents) func everyCommandIsTaken(document: String) throws {
    try Places.withTemporaryFolder { folder in
      let outcome = try check([document], in: folder)
      #expect(outcome.status == 0, "\(outcome.output)\(outcome.errors)")
    }
  }

  /// The commands of README that need no data, one after the other.
  @Test func theFirstRunOfReadmeWorks() throws {
    try Places.withTemporaryFolder { folder in
      let outcome = try check(["--walk", "Train, override, resume", "README.md"], in: folder)
      #expect(outcome.status == 0, "\(outcome.output)\(outcome.errors)")
    }
  }

  @Test func wrongCommandsAreFound() throws {
    try Places.withTemporaryFolder { folder in
      let text = """
        # A document

            mpirun -np 2 momentum-dist train --epochz 3
            momentum-dist train \\
              --set model.mux=3
            momentum-dist bench step --zebra 3
            momentum-dist cells
            launch/zebra

        Type `momentum-dist zebra runs/a`.
        """
      try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/document.md"))
      let outcome = try check(["\(folder)/document.md"], in: folder)
      #expect(outcome.status == 1)
      let places = outcome.output.split(separator: "\n").compactMap { line in
        line.split(separator: ":").dropFirst().first.map(String.init)
      }
      // The last line has the counts.
      #expect(places == ["3", "4", "6", "8", "10", " 5 commands, 5 wrong"], "\(outcome.output)")
    }
  }

  /// The version of the program, which the documents repeat.
  @Test func documentsNameTheVersionOfTheProgram() throws {
    try Places.withTemporaryFolder { folder in
      let outcome = try Program.run(["--version"], in: folder)
      let version = outcome.output.trimmingCharacters(in: .whitespacesAndNewlines)
      #expect(version.split(separator: ".").count == 3, "\(outcome.output)")
      for (document, text) in [
        ("CITATION.cff", "\nversion: \(version)\n"), ("CHANGELOG.md", "\n## \(version)"),
        ("README.md", "Version \(version)"),
      ] {
        let content = FileManager.default.contents(atPath: "\(Places.package)/\(document)")
        #expect(String(decoding: content ?? Data(), as: UTF8.self).contains(text), "\(document)")
      }
    }
  }

  /// launch/check-words finds a word of its list, and leaves out a line that is marked.
  @Test func wordsThatMustNotComeBackAreFound() throws {
    try Places.withTemporaryFolder { folder in
      // In pieces, so that this file has no such words itself.
      let words = ["goes", "on", "from"].joined(separator: " ")
      let text = """
        The run \(words) its newest checkpoint. words: allow
        The run resumes from its newest checkpoint; there is no file.
        The run \(words) its newest checkpoint.
        """
      try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/words.md"))
      let outcome = try Program.script("check-words", ["\(folder)/words.md"], in: folder)
      #expect(outcome.status == 1, "\(outcome.errors)")
      #expect(
        outcome.output
          == "\(folder)/words.md:3: \(words) -> resumes from, continues from\n")
      let good = "Only one process can train in a folder at a time.\n"
      try Data(good.utf8).write(to: URL(fileURLWithPath: "\(folder)/good.md"))
      #expect(try Program.script("check-words", ["\(folder)/good.md"], in: folder).status == 0)
    }
  }
}
