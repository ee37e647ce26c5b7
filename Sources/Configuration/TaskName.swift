/// The tasks by the names that configurations use.
public enum TaskName: String, ConfigurationChoice {
  case adding
  case copying
  case denoise
  case classification
  case nextFrame = "next_frame"
  case languageModel = "language_model"

  /// Whether the task cannot do without `dataset.file`.
  public var needsFile: Bool {
    [.classification, .nextFrame, .languageModel].contains(self)
  }
}
