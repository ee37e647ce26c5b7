// SPDX-License-Identifier: Apache-2.0

import Datasets
import Models
import Reports
import Tensors

extension ForecastTask {
  /// The largest numbers of steps of a part and of values of a step whose forecasts are kept for a
  /// report.
  private static let (mostSteps, mostValues) = (192, 6)

  /// The forecasts of the first windows of a part, with the series itself and simple forecasts, in
  /// the unit of the series; nil if a number is not finite.
  ///
  /// - Parameter predict: the H·C numbers that the model answers to a window x [T, 1, C]
  func curves(
    on part: DatasetFile.Part, predict: (_ x: Tensor<Float>, SequenceTargets) -> [Float]
  ) throws -> ForecastCurves? {
    let source = try source(part)
    guard let windows = (source as? ForecastSource)?.consecutiveWindows(ofSteps: Self.mostSteps),
      !windows.isEmpty
    else { return nil }
    let (H, C, S) = (settings.forecast.horizon, source.features, settings.forecast.season)
    let statistics = try settings.place.meaning().meaning.statistics
    let shown = min(C, Self.mostValues)
    let names = try names(of: C)
    var values = names.prefix(shown).map { ForecastCurves.Value(name: $0) }
    var steps: [Int] = []
    for (index, first) in windows {
      let T = source.length(of: index)
      let x = Tensor<Float>(shape: [T, 1, C])
      let targets = try source.read([index], into: x)
      let y = predict(x, targets)
      guard y.count == H * C, targets.numbers.count == H * C else { return nil }
      for h in 0..<H {
        steps.append(first + h)
        let season = Self.seasonSteps(T, h, max(S, 1))
        for c in 0..<shown {
          func inItsUnit(_ value: Float) -> Double {
            Double(value) * (statistics?.deviation?[c] ?? 1) + (statistics?.mean?[c] ?? 0)
          }
          values[c].truth.append(inItsUnit(targets.numbers[h * C + c]))
          values[c].forecast.append(inItsUnit(y[h * C + c]))
          values[c].persistence.append(inItsUnit(x[(T - 1) * C + c]))
          guard S > 0 else { continue }
          let mean = season.reduce(0) { $0 + x[$1 * C + c] } / Float(season.count)
          values[c].season.append(inItsUnit(mean))
        }
      }
    }
    let curves = ForecastCurves(horizon: H, steps: steps, values: values)
    return curves.isFinite ? curves : nil
  }
}
