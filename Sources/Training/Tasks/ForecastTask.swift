// SPDX-License-Identifier: Apache-2.0

import Configuration
import Datasets
import Models
import Reports
import Tensors

/// The next H values of a series from the preceding T, from a file that `prepare series` made. The
/// parts follow one another in time; none is drawn at random.
final class ForecastTask: SequenceTask {
  let settings: TrainingConfiguration.Dataset
  private var scale: [Double] = []

  init(_ configuration: TrainingConfiguration.Dataset) { settings = configuration }

  /// Reports errors in the unit of the series; known once a part is open.
  var objective: any Objective {
    scale.isEmpty ? SquaredError() : ValueErrors(scale: scale)
  }
  var validationSummary: String? { "validation on the steps after those that are trained on" }

  func source(_ part: DatasetFile.Part) throws -> any SequenceSource {
    let source = try ForecastSource(settings.place, part: part, settings.forecast)
    let meaning = try settings.place.meaning().meaning
    let own = meaning.statistics?.deviation ?? Array(repeating: 1, count: source.features)
    scale = (0..<settings.forecast.horizon).flatMap { _ in own }
    return source
  }

  func resolved(_ configuration: TrainingConfiguration) -> TrainingConfiguration {
    var configuration = configuration
    if settings.measured == nil { configuration.dataset.heldOut = .ownPart }
    return configuration
  }

  /// The loss of repeating the last value with its metrics, and the metrics of the mean of the same
  /// step of earlier seasons.
  func chance(on source: any SequenceSource) -> ChanceLoss? {
    let S = settings.forecast.season
    guard let last = totals(on: source, of: { T, _ in [T - 1] }) else { return nil }
    var meaning = "repeating the last value: \(text(last))"
    if S > 0 {
      let seasonal = totals(on: source) { T, h in Self.seasonSteps(T, h, S) }
      meaning += seasonal.map { "; the mean of earlier seasons: \(text($0))" } ?? ""
    }
    return ChanceLoss(last.meanLoss, meaning)
  }

  /// The metrics of the values of the series, over all forecast steps.
  func valueErrors(_ totals: Totals) throws -> [EvaluationRecord.ValueError]? {
    let H = settings.forecast.horizon
    let errors = (objective as? ValueErrors)?.absoluteErrors(totals) ?? []
    let C = errors.count / H
    guard C > 1 else { return nil }
    let names = try names(of: C)
    return (0..<C).map { c in
      EvaluationRecord.ValueError(
        name: names[c], mae: (0..<H).reduce(0) { $0 + errors[$1 * C + c] } / Double(H))
    }
  }

  /// The names of the C values of the series.
  func names(of C: Int) throws -> [String] {
    try settings.place.valueNames(count: C) ?? (0..<C).map { "value \($0)" }
  }

  /// The steps of a window of T that are as far in their season S as the h-th step after it.
  static func seasonSteps(_ T: Int, _ h: Int, _ S: Int) -> [Int] {
    // A window that is shorter than a season has no information about it.
    T < S ? [T - 1] : Array(stride(from: T - S + h % S, through: 0, by: -S))
  }

  private func text(_ totals: Totals) -> String {
    objective.metrics(totals).filter(\.value.isFinite).map(\.text).joined(separator: ", ")
  }

  /// The totals of forecasts that are means over steps of the window.
  ///
  /// - Parameter steps: which steps of a window of T, for the h-th step after it, from 0
  private func totals(
    on source: any SequenceSource, of steps: (_ T: Int, _ h: Int) -> [Int]
  ) -> Totals? {
    let (C, H) = (source.features, settings.forecast.horizon)
    var totals = objective.noTotals
    for index in 0..<source.count {
      let T = source.length(of: index)
      let x = Tensor<Float>(shape: [T, 1, C])
      guard let targets = try? source.read([index], into: x) else { return nil }
      let y = Tensor<Float>(shape: [1, H * C])
      for h in 0..<H {
        let own = steps(T, h)
        for c in 0..<C { y[h * C + c] = own.reduce(0) { $0 + x[$1 * C + c] } / Float(own.count) }
      }
      totals = totals + objective.totals(of: y, targets, gradient: nil)
    }
    return totals
  }
}
