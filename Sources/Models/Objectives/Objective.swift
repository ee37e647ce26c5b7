// SPDX-License-Identifier: Apache-2.0

import Kernels
import Tensors

/// Scores a read-out's output y: the loss, its gradient, and the metrics.
///
/// An objective knows neither layers nor files. A new one is one file in this folder and one line
/// in `ObjectiveTable`, whose lines are all tested.
public protocol Objective: Sendable {
  /// The name of the mean loss in reports: "cross-entropy".
  var name: String { get }

  /// Whether it can compare with targets of a kind.
  func accepts(_ kind: TargetKind) -> Bool

  /// The names of its sums in addition to the loss, in the order of `Totals.own`. Checkpoints hold
  /// these sums by name.
  var sums: [String] { get }

  /// The loss, summed over the rows of y, and its gradient.
  ///
  /// - Parameters:
  ///   - y: the read-out's output, [R, K]
  ///   - targets: R rows
  ///   - gradient: receives dL/dy, [R, K]; nil if not needed. It may be y itself
  /// - Returns: all members but `sequences`
  func totals<Scalar: KernelScalar>(
    of y: Tensor<Scalar>, _ targets: SequenceTargets, gradient: Tensor<Scalar>?
  ) -> Totals

  /// The metrics that are reported besides the mean loss.
  func metrics(_ totals: Totals) -> [Metric]

  /// The mean loss of guessing, if it follows from the kind of the targets; nil if it does not.
  func chance(_ kind: TargetKind) -> ChanceLoss?

  /// The row y [K] with the lowest loss as a constant answer to these targets.
  func bestConstant(for targets: SequenceTargets) -> [Double]
}

extension Objective {
  public var sums: [String] { [] }
  public func metrics(_ totals: Totals) -> [Metric] { [] }
  public func chance(_ kind: TargetKind) -> ChanceLoss? { nil }

  /// The totals of no rows, with all members.
  public var noTotals: Totals { Totals(own: [Double](repeating: 0, count: sums.count)) }

  /// The mean loss of the best constant answer to some targets, which a model must beat to show
  /// that it learned from its inputs.
  public func chance(of targets: SequenceTargets) -> ChanceLoss {
    let row = bestConstant(for: targets)
    let y = Tensor<Double>(shape: [targets.rowCount, row.count])
    for index in 0..<targets.rowCount { y.row(index).copy(from: row) }
    return ChanceLoss(
      totals(of: y, targets, gradient: nil).meanLoss, "the best constant answer")
  }
}

/// The loss of a baseline, and the meaning of that baseline.
public struct ChanceLoss: Sendable, Equatable {
  /// The mean loss of the baseline.
  public let value: Double
  /// The baseline: "guessing".
  public let meaning: String

  public init(_ value: Double, _ meaning: String) {
    self.value = value
    self.meaning = meaning
  }
}

/// A number that measures the quality of a model.
public struct Metric: Sendable, Equatable {
  /// How it is written.
  public enum Form: Sendable, Equatable {
    /// "accuracy 97.35 %": a share.
    case percentage(String)
    /// "perplexity 81.2".
    case named(String)
    /// "6.34 bits".
    case unit(String)
  }

  /// The key in a metrics record: "accuracy".
  public var key: String
  /// The number itself; shares are in 0 ... 1.
  public var value: Double
  /// How it is printed.
  public var form: Form

  public init(_ key: String, _ value: Double, _ form: Form) {
    self.key = key
    self.value = value
    self.form = form
  }
}
