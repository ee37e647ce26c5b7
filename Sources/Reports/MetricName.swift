// SPDX-License-Identifier: Apache-2.0

/// The names of metrics in tables and charts.
enum MetricName {
  private static let names = [
    "mae": "MAE", "r2": "R2", "auc": "AUC", "macro_f1": "macro F1",
    "top_5_accuracy": "top-5 accuracy",
  ]

  /// The name of a key of the records, also of one that begins with a part: "validation MAE".
  static func shown(_ key: String) -> String {
    guard !key.hasPrefix("validation_") else {
      return "validation \(shown(String(key.dropFirst("validation_".count))))"
    }
    return names[key] ?? key.replacing("_", with: " ")
  }

  /// Whether a share is shown in per cent.
  static func isPercentage(_ key: String) -> Bool {
    key.hasSuffix("accuracy") || key.hasSuffix("macro_f1")
  }
}
