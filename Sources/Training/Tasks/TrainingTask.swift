import Datasets
import Models

/// What is learned: where the sequences come from, and how answers are judged.
///
/// A new task is one file beside this one and one line in `TaskName`.
public protocol TrainingTask {
  init(_ configuration: TrainingConfiguration.Dataset)

  /// The loss of the read-out.
  var loss: LossKind { get }
  /// What the loss is called in reports: "cross-entropy".
  var lossName: String { get }
  /// The loss of a model that has learned nothing, with a word on where it comes from.
  func chance(on source: any SequenceSource) -> (loss: Double, meaning: String)?

  /// The sequences of a part. The validation part is never taken from the test part.
  func source(_ part: DatasetFile.Part) throws -> any SequenceSource
}

/// The tasks by the names that configurations use.
public enum TaskName: String, ConfigurationChoice {
  case adding
  case copying
  case denoise
  case classification
  case nextFrame = "next_frame"

  /// Whether the task cannot do without `dataset.file`.
  public var needsFile: Bool { self == .classification || self == .nextFrame }

  /// Makes the task.
  public func make(_ configuration: TrainingConfiguration) -> any TrainingTask {
    switch self {
    case .adding: AddingTask(configuration.dataset)
    case .copying: CopyingTask(configuration.dataset)
    case .denoise: DenoiseTask(configuration.dataset)
    case .classification: ClassificationTask(configuration.dataset)
    case .nextFrame: NextFrameTask(configuration.dataset)
    }
  }
}
