import Kernels
import Tensors

/// What a read-out's output y is compared by: the loss, its gradient, and what is reported.
///
/// An objective knows neither layers nor files. A new one is one file in this folder and one line
/// in `ObjectiveTable`, from which its tests follow.
public protocol Objective: Sendable {
  /// What reports call the mean loss: "cross-entropy".
  var name: String { get }

  /// Whether it can compare with targets of a kind.
  func accepts(_ kind: TargetKind) -> Bool

  /// The names of what it adds up besides the loss, in the order of `Totals.own`. Checkpoints hold
  /// these sums by name.
  var sums: [String] { get }

  /// The loss, summed over the rows of y, and its gradient.
  ///
  /// - Parameters:
  ///   - y: what the read-out says, [R, K]
  ///   - targets: R rows
  ///   - gradient: receives dL/dy, [R, K]; nil if not wanted. It may be y itself
  /// - Returns: all members but `sequences`
  func totals<Scalar: KernelScalar>(
    of y: Tensor<Scalar>, _ targets: SequenceTargets, gradient: Tensor<Scalar>?
  ) -> Totals

  /// What is reported besides the mean loss.
  func metrics(_ totals: Totals) -> [Metric]

  /// The mean loss of guessing, as far as the kind of the targets tells; nil if it does not.
  func chance(_ kind: TargetKind) -> ChanceLoss?

  /// The row y [K] that has the lowest loss if it answers every one of these targets.
  func bestConstant(for targets: SequenceTargets) -> [Double]
}

extension Objective {
  public var sums: [String] { [] }
  public func metrics(_ totals: Totals) -> [Metric] { [] }
  public func chance(_ kind: TargetKind) -> ChanceLoss? { nil }

  /// The totals of no rows, with as many members as those of some.
  public var noTotals: Totals { Totals(own: [Double](repeating: 0, count: sums.count)) }

  /// The mean loss of the best constant answer to some targets: what a model must beat to have
  /// learned anything from its inputs.
  public func chance(of targets: SequenceTargets) -> ChanceLoss {
    let row = bestConstant(for: targets)
    let y = Tensor<Double>(shape: [targets.rowCount, row.count])
    for index in 0..<targets.rowCount { y.row(index).copy(from: row) }
    return ChanceLoss(
      totals(of: y, targets, gradient: nil).meanLoss, "the best constant answer")
  }
}

/// The loss of an untrained baseline, and what it is the loss of.
public struct ChanceLoss: Sendable, Equatable {
  public let value: Double
  /// What has this loss: "guessing".
  public let meaning: String

  public init(_ value: Double, _ meaning: String) {
    self.value = value
    self.meaning = meaning
  }
}

/// A number that tells how good a model is.
public struct Metric: Sendable, Equatable {
  /// How a person reads it.
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
  public var value: Double
  public var form: Form

  public init(_ key: String, _ value: Double, _ form: Form) {
    self.key = key
    self.value = value
    self.form = form
  }
}
