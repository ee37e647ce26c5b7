// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// Figures of `evaluate`, computed with numpy from the file that `predict` wrote.
@Suite struct PredictedFiguresTests {
  /// Whether Python has the packages for it.
  static let hasNumpy = PythonPackages.has("numpy, h5py")

  /// All tasks but language_model, for whose texts `predict` has no answers; see
  /// `torchReadsTextsAsEvaluateDoes`.
  @Test(
    .enabled(
      if: hasNumpy, "needs Python with numpy and h5py: python3, or what MOMENTUM_DIST_PYTHON names"),
    arguments: [
      "adding", "copying", "denoise", "classification", "regression", "multilabel", "tagging",
      "forecast", "next_frame", "masked_spikes",
    ])
  func numpyFindsTheFiguresOfAnEvaluation(task: String) throws {
    try Places.withTemporaryFolder { folder in
      let outcome = try Program.bash(
        "\"$1\" \"$2/Tests/References/check_figures.py\" \"$PROGRAM\" \"$3\"",
        [PythonPackages.python, Places.package, task], in: folder,
        environment: ["PYTHONDONTWRITEBYTECODE": "1"], deadline: 300)
      #expect(outcome.status == 0, "\(outcome.output)\(outcome.errors)")
      #expect(outcome.output.contains("  equal"), "\(outcome.output)")
    }
  }
}
