// SPDX-License-Identifier: Apache-2.0

import Configuration
import DataParallel
import Models
import Reports

/// What is learned: a task makes the model and its batches, and defines how answers are reported.
///
/// A new task is one file next to this one and one case of `TaskName`. One that learns from whole
/// sequences conforms to `SequenceTask`, which has the model and the batches.
public protocol TrainingTask {
  /// The objective that the model's answers are scored by.
  var objective: any Objective { get }
  /// The name of the loss in reports; the objective's name unless a task defines another.
  var lossName: String { get }
  /// The elements that the loss is a mean over, if they describe speed and amount better than the
  /// number of sequences: "tokens".
  var elementName: String? { get }

  /// The mean absolute error of each value in `totals`, in its own unit; nil unless the answer is
  /// several values.
  func valueErrors(_ totals: Totals) throws -> [EvaluationRecord.ValueError]?

  /// The model and its data on one rank.
  func workload(
    _ configuration: TrainingConfiguration, plan: ShardPlan, rank: Int
  ) throws -> Workload

  /// The configuration with the values that follow from the data, once they are open.
  func resolved(_ configuration: TrainingConfiguration) -> TrainingConfiguration
}

extension TrainingTask {
  public var lossName: String { objective.name }
  public var elementName: String? { nil }
  public func valueErrors(_ totals: Totals) throws -> [EvaluationRecord.ValueError]? { nil }
  public func resolved(_ configuration: TrainingConfiguration) -> TrainingConfiguration {
    var configuration = configuration
    configuration.dataset.validationCount = configuration.dataset.validationCount
    return configuration
  }
}

extension TaskName {
  /// Makes the task.
  public func make(_ configuration: TrainingConfiguration) -> any TrainingTask {
    switch self {
    case .adding: AddingTask(configuration.dataset)
    case .copying: RecallTask(.copying, configuration.dataset)
    case .denoise: RecallTask(.denoise, configuration.dataset)
    case .classification: ClassificationTask(configuration.dataset, seed: configuration.seed)
    case .nextFrame: NextFrameTask(configuration.dataset)
    case .languageModel: LanguageModelTask(configuration.dataset)
    case .maskedSpikes: MaskedSpikesTask(configuration)
    case .forecast: ForecastTask(configuration.dataset)
    case .regression, .tagging, .multilabel: OwnSequencesTask(configuration.dataset)
    }
  }
}
