// SPDX-License-Identifier: Apache-2.0

import Foundation
import Kernels
import Tensors

/// The negative log-likelihood of K counts whose rates are exp(r), averaged over the known ones.
///
///     L = Σ (exp(r) - k r) / known
///
/// log k! is left out, because it does not depend on parameters. A negative count is unknown and is
/// skipped.
public struct PoissonCounts: Objective {
  public init() {}

  public var name: String { "Poisson negative log-likelihood" }

  public func accepts(_ kind: TargetKind) -> Bool { kind.answer == .counts }

  /// The negative log-likelihood of counts, and its gradient by the log-rates; see `Objective`.
  @specialized(where Scalar == Float)
  public func totals<Scalar: KernelScalar>(
    of logRates: Tensor<Scalar>, _ targets: SequenceTargets, gradient: Tensor<Scalar>?
  ) -> Totals {
    precondition(
      targets.whole.count == logRates.count,
      "\(targets.whole.count) counts for log-rates \(logRates.shape)")
    var (loss, known) = (0.0, 0.0)
    for (index, count) in targets.whole.enumerated() {
      guard count >= 0 else {
        gradient?[index] = 0
        continue
      }
      let (r, k) = (logRates[index], Scalar(count))
      let rate = Scalar.exponential(r)
      loss += Double(rate) - Double(k) * Double(r)
      known += 1
      gradient?[index] = rate - k
    }
    return Totals(loss: loss, elements: known)
  }

  /// The logarithm of each mean count.
  public func bestConstant(for targets: SequenceTargets) -> [Double] {
    targets.columnMeans.map { log(max($0, .leastNormalMagnitude)) }
  }
}

extension SequenceTargets {
  /// The mean of the known labels or counts of each column; 0 if none is known.
  var columnMeans: [Double] {
    let K = kind.width
    return (0..<K).map { k in
      let known = stride(from: k, to: whole.count, by: K).map { whole[$0] }.filter { $0 >= 0 }
      return known.isEmpty ? 0 : Double(known.reduce(0) { $0 + Int($1) }) / Double(known.count)
    }
  }
}
