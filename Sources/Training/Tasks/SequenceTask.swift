import DataParallel
import Datasets
import Foundation
import Models

/// A task that learns from whole sequences, by a stack of recurrent layers and a linear read-out.
public protocol SequenceTask: TrainingTask {
  /// The loss of the read-out.
  var loss: LossKind { get }
  /// A class of steps that nobody asks about, which the accuracy leaves out; nil if there is none.
  var unjudgedClass: Int32? { get }
  /// The loss on some sequences of a model that has learned nothing; nil where nobody knows.
  func chance(on source: any SequenceSource) -> ChanceLoss?
  /// The sequences of a part. The validation part is never taken from the test part.
  func source(_ part: DatasetFile.Part) throws -> any SequenceSource
  /// What is validated on, in a few words, where it was found in the data: "12 held out".
  var validationSummary: String? { get }
  /// How classes were understood that are numbered otherwise than those that were learned.
  var mapping: String? { get }
  /// How many sequences of the training part are held out, once that is open; nil where
  /// validation has a part of its own.
  var heldOut: Int? { get }
}

extension SequenceTask {
  public var unjudgedClass: Int32? { nil }
  public var validationSummary: String? { nil }
  public var mapping: String? { nil }
  public var heldOut: Int? { nil }

  /// The accuracy, where the answer is a class.
  public func metrics(_ totals: Totals) -> [TaskMetric] {
    guard loss == .crossEntropy else { return [] }
    let accuracy = totals.accuracy
    return [
      TaskMetric(
        "accuracy", accuracy, text: String(format: "accuracy %.2f %%", 100 * accuracy))
    ]
  }

  public func workload(
    _ configuration: TrainingConfiguration, plan: ShardPlan, rank: Int
  ) throws -> any Workload {
    try SequenceWorkload(configuration, task: self, plan: plan, rank: rank)
  }
}
