// SPDX-License-Identifier: Apache-2.0

import Foundation
import Models
import Tensors

/// An array of predictions, as it is stored for each sequence.
public struct PredictionField: Sendable, Hashable {
  /// "class", "probabilities", "hidden", "features/conv1".
  public let name: String
  /// The shape for one sequence; it begins with T if every step has a prediction.
  public let shape: [Int]
  /// Whether the shape begins with the steps of the sequence.
  public let isEveryStep: Bool
  /// Whether the numbers are classes: integers, and -1 after the end of a sequence.
  public let areClasses: Bool

  /// How many numbers there are for one sequence.
  public var count: Int { shape.reduce(1, *) }

  init(_ name: String, _ shape: [Int], isEveryStep: Bool = false, areClasses: Bool = false) {
    (self.name, self.shape) = (name, shape)
    (self.isEveryStep, self.areClasses) = (isEveryStep, areClasses)
  }
}

/// The numbers of a field for some sequences, [rows] and the field's shape.
public enum PredictedNumbers: Sendable {
  /// Probabilities, values or rates.
  case floats([Float])
  /// Numbers of classes.
  case classes([Int32])
}

/// The predictions for some consecutive sequences.
public struct PredictedRows: Sendable {
  /// The first of these sequences.
  public let first: Int
  /// T of each sequence.
  public let lengths: [Int]
  /// The numbers, in the order of the fields.
  public let numbers: [PredictedNumbers]
}

/// The names of a task's answers, and how they are computed from the read-out.
struct AnswerFields {
  let kind: TargetKind
  /// Whether the answer of a step is the input of the next.
  let isForecast: Bool
  /// C of a forecast of several steps; nil for other tasks.
  let features: Int?
  /// How many steps are forecast, if that is not the horizon.
  let rollOut: Int?
  /// T of the longest sequence.
  let steps: Int
  /// The factor and the offset of each feature's numbers; nil means that they are unchanged.
  let statistics: (mean: [Double], deviation: [Double])?

  /// - Throws: `RunFailure` if there is nothing to predict
  var fields: [PredictionField] {
    let K = kind.outputs
    let every = kind.isEveryStep
    let answer = every ? [steps, K] : [K]
    switch kind.answer {
    case .oneClass:
      return [
        PredictionField("class", every ? [steps] : [], isEveryStep: every, areClasses: true),
        PredictionField("probabilities", answer, isEveryStep: every),
      ]
    case .labels: return [PredictionField("probabilities", answer, isEveryStep: every)]
    case .counts: return [PredictionField("rates", answer, isEveryStep: every)]
    case .numbers where isForecast:
      return [
        PredictionField("forecast", rollOut.map { [$0, K] } ?? [K]),
        PredictionField("predictions", answer, isEveryStep: true),
      ]
    case .numbers:
      return features.map { [PredictionField("forecast", [rollOut ?? K / $0, $0])] }
        ?? [PredictionField("values", answer, isEveryStep: every)]
    }
  }

  /// The numbers of all fields.
  ///
  /// - Parameters:
  ///   - y: the read-out, [N, K] or [N, T, K]
  ///   - lengths: T of each sequence
  ///   - rolledOut: the forecast frames after the end of each sequence; nil without `--roll-out`
  func numbers(_ y: [Float], lengths: [Int], rolledOut: [Float]? = nil) -> [PredictedNumbers] {
    let K = kind.outputs
    let T = kind.isEveryStep ? steps : 1
    func isValid(_ row: Int) -> Bool {
      !kind.isEveryStep || row % T < lengths[row / T]
    }
    let rows = y.count / max(K, 1)
    switch kind.answer {
    case .oneClass:
      var (classes, probabilities) = ([Int32](), [Float]())
      probabilities.reserveCapacity(y.count)
      for row in 0..<rows {
        let logits = y[row * K..<(row + 1) * K]
        let largest = logits.max() ?? 0
        classes.append(
          isValid(row) ? Int32((logits.firstIndex(of: largest) ?? row * K) - row * K) : -1)
        let weights = logits.map { exp(Double($0) - Double(largest)) }
        let sum = weights.reduce(0, +)
        probabilities += weights.map { isValid(row) ? Float($0 / sum) : 0 }
      }
      return [.classes(classes), .floats(probabilities)]
    case .labels:
      return [.floats(y.map { Float(1 / (1 + exp(-Double($0)))) })]
    case .counts:
      return [
        .floats(y.indices.map { isValid($0 / K) ? Float(exp(Double(y[$0]))) : 0 })
      ]
    case .numbers:
      func inItsUnit(_ value: Float, _ index: Int) -> Float {
        guard let statistics else { return value }
        let c = index % statistics.mean.count
        return Float(Double(value) * statistics.deviation[c] + statistics.mean[c])
      }
      let values = y.indices.map { isValid($0 / K) ? inItsUnit(y[$0], $0) : y[$0] }
      guard isForecast else { return [.floats(values)] }
      if let rolledOut {
        return [.floats(rolledOut.indices.map { inItsUnit(rolledOut[$0], $0) }), .floats(values)]
      }
      let last = lengths.indices.flatMap { n -> ArraySlice<Float> in
        let start = (n * T + lengths[n] - 1) * K
        return values[start..<start + K]
      }
      return [.floats(last), .floats(values)]
    }
  }
}
