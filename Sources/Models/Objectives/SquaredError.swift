// SPDX-License-Identifier: Apache-2.0

import Kernels
import Tensors

/// The mean squared error of K numbers.
///
///     L = Σ (y - target)² / (R K)
public struct SquaredError: Objective {
  public init() {}

  public var name: String { "mean squared error" }

  public func accepts(_ kind: TargetKind) -> Bool { kind.answer == .numbers }

  @specialized(where Scalar == Float)
  public func totals<Scalar: KernelScalar>(
    of y: Tensor<Scalar>, _ targets: SequenceTargets, gradient: Tensor<Scalar>?
  ) -> Totals {
    precondition(
      targets.numbers.count == y.count,
      "\(targets.numbers.count) targets for predictions \(y.shape)")
    var loss = 0.0
    for (index, target) in targets.numbers.enumerated() {
      let error = y[index] - Scalar(target)
      loss += Double(error) * Double(error)
      gradient?[index] = 2 * error
    }
    return Totals(loss: loss, elements: Double(y.count))
  }

  /// The mean of each number.
  public func bestConstant(for targets: SequenceTargets) -> [Double] {
    let (R, K) = (targets.rowCount, targets.kind.outputs)
    return (0..<K).map { k in
      (0..<R).reduce(0) { $0 + Double(targets.numbers[$1 * K + k]) } / Double(R)
    }
  }
}
