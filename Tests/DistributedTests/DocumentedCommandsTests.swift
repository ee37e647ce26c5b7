import Foundation
import TestSupport
import Testing

/// Every command in README.md, CONTRIBUTING.md and the DocC articles is one that the program takes.
@Suite struct DocumentedCommandsTests {
  /// The documents, by their paths in the package.
  static let documents: [String] = {
    var found = ["README.md", "CONTRIBUTING.md", "Benchmarks/README.md", "Examples/README.md"]
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
}
