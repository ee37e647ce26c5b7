import DataParallel
import Models

/// What is learned: it makes the model with its batches, and says how answers are reported.
///
/// A new task is one file beside this one and one line in `TaskName`. One that learns from whole
/// sequences conforms to `SequenceTask`, which has the model and the batches.
public protocol TrainingTask {
  /// What the loss is called in reports: "cross-entropy".
  var lossName: String { get }
  /// What the loss is a mean over, where that tells more of speed and amount than the number of
  /// sequences: "tokens".
  var elementName: String? { get }
  /// What is reported besides the mean loss.
  func metrics(_ totals: Totals) -> [TaskMetric]

  /// The model and its data on one rank.
  func workload(
    _ configuration: TrainingConfiguration, plan: ShardPlan, rank: Int
  ) throws -> any Workload

  /// The configuration with what the data decide filled in, once they are open.
  func resolved(_ configuration: TrainingConfiguration) -> TrainingConfiguration
}

extension TrainingTask {
  public var elementName: String? { nil }
  public func resolved(_ configuration: TrainingConfiguration) -> TrainingConfiguration {
    var configuration = configuration
    configuration.dataset.validationCount = configuration.dataset.validationCount
    return configuration
  }
  public func metrics(_ totals: Totals) -> [TaskMetric] { [] }
}

/// A number that tells how good a model is.
public struct TaskMetric {
  /// The key in a metrics record: "accuracy".
  public var key: String
  public var value: Double
  /// The number for a person: "accuracy 97.35 %".
  public var text: String

  public init(_ key: String, _ value: Double, text: String) {
    self.key = key
    self.value = value
    self.text = text
  }
}

extension TaskName {
  /// Makes the task.
  public func make(_ configuration: TrainingConfiguration) -> any TrainingTask {
    switch self {
    case .adding: AddingTask(configuration.dataset)
    case .copying: RecallTask(.copying, configuration.dataset)
    case .denoise: RecallTask(.denoise, configuration.dataset)
    case .classification: ClassificationTask(configuration.dataset)
    case .nextFrame: NextFrameTask(configuration.dataset)
    case .languageModel: LanguageModelTask(configuration.dataset)
    }
  }
}
