import Configuration
import DataParallel
import Models

/// What is learned: a task makes the model and its batches, and defines how answers are reported.
///
/// A new task is one file next to this one and one line in `TaskName`. One that learns from whole
/// sequences conforms to `SequenceTask`, which has the model and the batches.
public protocol TrainingTask {
  /// What the model's answers are compared by.
  var objective: any Objective { get }
  /// What the loss is called in reports; the objective's name unless a task says more.
  var lossName: String { get }
  /// What the loss is a mean over, where that tells more of speed and amount than the number of
  /// sequences: "tokens".
  var elementName: String? { get }

  /// The model and its data on one rank.
  func workload(
    _ configuration: TrainingConfiguration, plan: ShardPlan, rank: Int
  ) throws -> Workload

  /// The configuration with what the data decide filled in, once they are open.
  func resolved(_ configuration: TrainingConfiguration) -> TrainingConfiguration
}

extension TrainingTask {
  public var lossName: String { objective.name }
  public var elementName: String? { nil }
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
    case .regression, .tagging: OwnSequencesTask(configuration.dataset)
    }
  }
}
