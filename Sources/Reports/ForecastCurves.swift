// SPDX-License-Identifier: Apache-2.0

/// The forecasts of a run for the first steps of a part, with the true values and simple forecasts,
/// in the unit of the series.
public struct ForecastCurves: Codable, Sendable, Equatable {
  /// One value of a step, such as a temperature; each list has a number for each of the steps.
  public struct Value: Codable, Sendable, Equatable {
    /// Its name in the table.
    public var name: String
    /// The measured values.
    public var truth: [Double] = []
    /// The forecast of each step.
    public var forecast: [Double] = []
    /// The last value of the window.
    public var persistence: [Double] = []
    /// The mean of the same step of earlier seasons; empty without a season.
    public var season: [Double] = []

    public init(name: String) { self.name = name }

    fileprivate var all: [[Double]] { [truth, forecast, persistence, season] }
  }

  /// H, the steps that a window forecasts at once.
  public var horizon: Int
  /// The steps of the part, from 0.
  public var steps: [Int]
  /// One for each value of a step.
  public var values: [Value]

  public init(horizon: Int, steps: [Int], values: [Value]) {
    (self.horizon, self.steps, self.values) = (horizon, steps, values)
  }

  /// Whether all numbers are finite, as JSON demands.
  public var isFinite: Bool {
    values.allSatisfy { $0.all.allSatisfy { $0.allSatisfy(\.isFinite) } }
  }
}
