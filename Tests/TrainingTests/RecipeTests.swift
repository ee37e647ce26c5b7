// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// The configurations of the paper's runs, compared with the recipes of its authors.
@Suite struct RecipeTests {
  static let script = Places.package + "/Tests/References/compare_recipes.py"

  static let hasPython: Bool = {
    (try? Places.withTemporaryFolder { try Program.python("pass", in: $0) })?.status == 0
  }()

  private func compare(_ folder: String, in work: String) throws -> Program.Outcome {
    try Program.python(
      """
      import runpy, sys
      sys.argv = ['compare', '\(folder)']
      runpy.run_path('\(Self.script)', run_name='__main__')
      """, in: work)
  }

  @Test(.enabled(if: hasPython, "needs python3, which is not here"))
  func configurationsEqualTheRecipes() throws {
    try Places.withTemporaryFolder { folder in
      let own = Places.package + "/configs/paper"
      let outcome = try compare(own, in: folder)
      #expect(outcome.status == 0, "\(outcome.output.suffix(2000)) \(outcome.errors)")
      #expect(outcome.output.contains("39 configurations"), "\(outcome.output.suffix(200))")
      // It would see a key that is left out, changed, or new.
      let name = "table5-timit-dtriv-224.yaml"
      let copy = "\(folder)/paper"
      try FileManager.default.copyItem(atPath: own, toPath: copy)
      let text = try String(contentsOfFile: "\(own)/\(name)", encoding: .utf8)
      for (old, new) in [
        ("orthogonal_start: henaff", "# start"), ("rebase_every: 0", "rebase_every: 1"),
        ("epochs: 700", "epochs: 700\nthreads: 2"),
      ] {
        try text.replacing(old, with: new).write(
          toFile: "\(copy)/\(name)", atomically: true, encoding: .utf8)
        #expect(try compare(copy, in: folder).status == 1, "\(new)")
      }
    }
  }
}
