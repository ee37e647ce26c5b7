// SPDX-License-Identifier: Apache-2.0

import Kernels
import Tensors

/// The mean squared error of K numbers, with the usual metrics of regressions.
///
///     MAE = Σ_k s_k Σ |y_k - target_k| / (R K),   R2 = mean over k of 1 - Σ (y_k - target_k)² / V_k
///
/// with V_k = Σ (target_k - mean target_k)² and s_k the scale that targets were divided by: the MAE
/// thus has their original unit. A number that does not vary is left out of R2.
public struct ValueErrors: Objective {
  /// s [K].
  public let scale: [Double]
  private let error = SquaredError()

  public init(scale: [Double]) { self.scale = scale }

  public var name: String { error.name }

  public func accepts(_ kind: TargetKind) -> Bool {
    kind.answer == .numbers && kind.outputs == scale.count
  }

  public var sums: [String] {
    ["rows"]
      + ["square", "absolute", "target", "target_square"].flatMap { part in
        scale.indices.map { "\(part)_\($0)" }
      }
  }

  @specialized(where Scalar == Float)
  public func totals<Scalar: KernelScalar>(
    of y: Tensor<Scalar>, _ targets: SequenceTargets, gradient: Tensor<Scalar>?
  ) -> Totals {
    let K = scale.count
    var own = [Double](repeating: 0, count: 1 + 4 * K)
    own[0] = Double(targets.rowCount)
    // Before the loss, whose gradient may overwrite y.
    for (index, target) in targets.numbers.enumerated() {
      let (k, target) = (1 + index % K, Double(target))
      let error = Double(y[index]) - target
      own[k] += error * error
      own[K + k] += abs(error)
      own[2 * K + k] += target
      own[3 * K + k] += target * target
    }
    var totals = error.totals(of: y, targets, gradient: gradient)
    totals.own = own
    return totals
  }

  public func metrics(_ totals: Totals) -> [Metric] {
    guard totals.own.count == sums.count else { return [] }
    let (K, own) = (scale.count, totals.own)
    let rows = own[0]
    func sum(_ part: Int, _ k: Int) -> Double { own[1 + part * K + k] }
    let absolute = (0..<K).reduce(0) { $0 + scale[$1] * sum(1, $1) }
    let shares = (0..<K).compactMap { k -> Double? in
      let variation = sum(3, k) - sum(2, k) * sum(2, k) / rows
      // Rounding errors are not variation.
      return variation > 1e-9 * sum(3, k) ? 1 - sum(0, k) / variation : nil
    }
    return [
      Metric("mae", absolute / (rows * Double(K)), .named("MAE")),
      Metric("r2", shares.reduce(0, +) / Double(shares.count), .named("R2")),
    ]
  }

  /// The mean absolute error of each of the K numbers, in its original unit; empty without rows.
  public func absoluteErrors(_ totals: Totals) -> [Double] {
    guard totals.own.count == sums.count, totals.own[0] > 0 else { return [] }
    return scale.indices.map { scale[$0] * totals.own[1 + scale.count + $0] / totals.own[0] }
  }

  public func bestConstant(for targets: SequenceTargets) -> [Double] {
    error.bestConstant(for: targets)
  }
}
