// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Reports

@Suite struct MetricNameTests {
  @Test(arguments: [
    "accuracy", "balanced_accuracy", "label_accuracy", "subset_accuracy", "top_5_accuracy",
    "macro_f1", "validation_subset_accuracy",
  ])
  func sharesAreShownInPerCent(key: String) { #expect(MetricName.isPercentage(key)) }

  @Test(arguments: ["auc", "r2", "mae", "loss", "validation_auc"])
  func otherFiguresAreNot(key: String) { #expect(!MetricName.isPercentage(key)) }
}
