// SPDX-License-Identifier: Apache-2.0

/// The quantity along the x axis of a curve.
enum ChartAxis: String {
  case step
  case epoch
  case time

  /// The text below the axis.
  var label: String {
    switch self {
    case .step: "optimizer step"
    case .epoch: "epoch"
    case .time: "minutes"
    }
  }
}
