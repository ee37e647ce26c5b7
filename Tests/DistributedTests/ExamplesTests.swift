// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// The Python scripts of Examples/ work with this program, one after the other.
@Suite struct ExamplesTests {
  @Test(.enabled(if: InteroperabilityTests.hasH5py, "needs python3 with h5py, which is not here"))
  func everyScriptWorks() throws {
    try Places.withTemporaryFolder { folder in
      let script = """
        set -e
        examples=$1
        python3 "$examples/own_data.py" waves.h5
        python3 "$examples/train_and_predict.py" waves.h5 runs/waves --ranks 2 --program "$PROGRAM"
        python3 "$examples/plot_run.py" runs/waves --to waves.svg
        """
      let outcome = try Program.bash(
        script, ["\(Places.package)/Examples"], in: folder, deadline: 300)
      #expect(outcome.status == 0, "\(outcome.errors)")
      let picture = FileManager.default.contents(atPath: "\(folder)/waves.svg") ?? Data()
      #expect(String(decoding: picture, as: UTF8.self).contains("<svg"))

      // Guessing one of three classes has an accuracy of a third.
      let line = outcome.output.split(separator: "\n").first { $0.hasPrefix("test accuracy ") }
      let accuracy = line.flatMap { Double($0.dropFirst("test accuracy ".count)) }
      #expect((accuracy ?? 0) > 0.6, "\(outcome.output)")
    }
  }
}
