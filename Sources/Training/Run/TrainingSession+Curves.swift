// SPDX-License-Identifier: Apache-2.0

import Datasets
import Models
import Reports

extension TrainingSession {
  /// The first forecasts of a part, to be drawn; nil if the task is another. This rank computes them
  /// alone, after an evaluation.
  public func forecastCurves(of part: DatasetFile.Part) throws -> ForecastCurves? {
    guard let forecast = task as? ForecastTask,
      let model = workload.model as? SequenceModel<Float>
    else { return nil }
    return try forecast.curves(on: part) { x, targets in
      let batch = SequenceBatch(x: x, targets: targets, rowStarts: [0, 1])
      return model.predict(batch, from: nil, firstStep: 0, parameters).outputs.array
    }
  }
}
