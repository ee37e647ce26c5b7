// SPDX-License-Identifier: Apache-2.0

/// The tasks by the names that configurations use.
public enum TaskName: String, ConfigurationChoice {
  /// The sum of two marked numbers of a sequence (generated).
  case adding
  /// Symbols at the start of a sequence, to be repeated at its end (generated).
  case copying
  /// Symbols among blanks, to be repeated at the end (generated).
  case denoise
  /// A class of each sequence.
  case classification
  /// The next frame of a spectrogram.
  case nextFrame = "next_frame"
  /// The next word or character of a text.
  case languageModel = "language_model"
  /// The hidden spike counts of neurons.
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
