// SPDX-License-Identifier: Apache-2.0

import Kernels
import Models
import Tensors

/// A case of `losses`: the mean of a loss and its gradient.
///
/// A case has a prediction and a target with the same rows, and `lens` [N] if rows [N, T] are valid
/// only up to these lengths.
enum LossFixture<Scalar: KernelScalar> {
  /// The objective of a case, the kind of its targets, and the file's names of prediction and
  /// target.
  private typealias Case = (
    objective: any Objective, answer: TargetKind.Answer, prediction: String, target: String
  )

  private static func objective(of name: String) -> Case? {
    switch name {
    case "cross_entropy": (CrossEntropy(), .oneClass, "logits", "target")
    case "masked_mse": (SquaredError(), .numbers, "pred", "target")
    case "poisson_nll_masked": (PoissonCounts(), .counts, "lograte", "labels")
    default: nil  // a loss of a later system
    }
  }

  static func compare(
    _ fixture: FixtureCase, strict: Bool
  ) throws(FixtureError) -> [TensorComparison]? {
    guard fixture.system == "losses" else { return nil }
    guard let (objective, answer, prediction, target) = objective(of: fixture.name) else {
      return []
    }
    let predictions = try fixture.array(prediction)
    guard let K = predictions.shape.last, K > 0 else { return [] }
    let R = predictions.values.count / K
    let rows = try validRows(fixture, of: predictions.shape, R)
    let kind = TargetKind(answer, outputs: K, isEveryStep: false)
    let shape = answer == .oneClass ? predictions.shape.dropLast() : predictions.shape
    let stored = try fixture.array(target, shape: shape).values
    let all =
      answer == .numbers
      ? SequenceTargets(kind, numbers: stored.map { Float($0) })
      : SequenceTargets(kind, whole: stored.map { Int32($0) })
    let y = Tensor(
      rows.flatMap { predictions.values[$0 * K..<($0 + 1) * K].map { Scalar($0) } },
      shape: [rows.count, K])
    let gradient = Tensor<Scalar>(shape: y.shape)
    let totals = objective.totals(of: y, all.rows(rows), gradient: gradient)
    var whole = [Double](repeating: 0, count: predictions.values.count)
    for (place, row) in rows.enumerated() {
      for k in 0..<K { whole[row * K + k] = Double(gradient[place * K + k]) }
    }
    // Numbers of data sets are Float, so such targets are checked to Float's precision.
    return try comparisons(fixture, totals, whole, strict: strict && answer != .numbers)
  }

  /// The rows of [N, T, K] within the lengths; all R if the case has no lengths.
  private static func validRows(
    _ fixture: FixtureCase, of shape: [Int], _ R: Int
  ) throws(FixtureError) -> [Int] {
    guard shape.count == 3, let lengths = try fixture.optionalArray("lens")?.values else {
      return Array(0..<R)
    }
    return (0..<R).filter { $0 % shape[1] < Int(lengths[$0 / shape[1]]) }
  }

  private static func comparisons(
    _ fixture: FixtureCase, _ totals: Totals, _ gradient: [Double], strict: Bool
  ) throws(FixtureError) -> [TensorComparison] {
    let tolerance: TensorComparison.Tolerance =
      strict ? .elementwise(absolute: 1e-10, relative: 1e-9) : .normwise(1e-5)
    return [
      TensorComparison(
        "loss", computed: [totals.meanLoss], expected: try fixture.array("loss").values,
        tolerance: tolerance),
      TensorComparison(
        "grad", computed: gradient.map { $0 / totals.weight },
        expected: try fixture.array("grad").values, tolerance: tolerance),
    ]
  }
}
