// SPDX-License-Identifier: Apache-2.0

/// The tasks by the names that configurations use.
public enum TaskName: String, ConfigurationChoice {
  case adding
  case copying
  case denoise
  case classification
  case nextFrame = "next_frame"
  case languageModel = "language_model"
  case maskedSpikes = "masked_spikes"
  /// Numbers about each sequence.
  case regression
  /// The next values of series.
  case forecast
  /// A class at every step.
  case tagging
  /// Labels of each sequence, each of which applies or does not.
  case multilabel

  /// Whether the task needs `dataset.file`.
  public var needsFile: Bool {
    ![.adding, .copying, .denoise].contains(self)
  }
}
