// SPDX-License-Identifier: Apache-2.0

/// Whether the times of steps are used.
public enum TimesChoice: String, ConfigurationChoice {
  /// Used if the file has them and the layers read them.
  case auto
  /// Not read; steps are then one apart.
  case off
}

/// Whether the inputs of a user's own file are normalised on reading.
public enum NormalizeChoice: String, ConfigurationChoice {
  /// As they are in the file.
  case off
  /// (x - mean) / deviation, for each feature, with the statistics of the training part.
  case features
}

extension TrainingConfiguration.Dataset {
  /// Visits the names of datasets in a user's own file, and which of them are used.
  mutating func visitNames(
    _ visitor: inout some ConfigurationVisitor
  ) throws(ConfigurationError) {
    try visitor.field(
      "inputs", &inputs, "the name of the inputs in your own file",
      use: .namedFileTasks)
    try visitor.field(
      "targets", &targets,
      "the name of the labels or numbers in your own file; for masked_spikes, that of the true"
        + " rates", use: .namedFileTasks)
    try visitor.field(
      "offsets", &offsets,
      "the name of the starts of sequences of unequal lengths in your own file; without this"
        + " dataset, all have the same length",
      use: .ownFileTasks)
    try visitor.field(
      "times", &times,
      "the name of the times of the steps, [N, T] or flat with offsets, in your own file; without"
        + " this dataset, steps are at 0, 1, 2 ...",
      use: .ownFileTasks)
    try visitor.field(
      "normalize", &normalize,
      "features normalises the inputs of your own file, each feature by mean and deviation over the"
        + " training part; files from `prepare` are normalised already",
      effect: .model, use: .normalizableTasks)
    try visitor.field(
      "class_weights", &classWeights,
      "the weight of each class in the loss: off, balanced (rare classes weigh as much in sum as"
        + " frequent ones), or a number for each class: 1,5,2",
      .classWeights, use: .tasks(.classification, .tagging))
    try visitor.field(
      "balanced", &isBalanced,
      "draw the sequences of each epoch at random, every class equally often on average, instead of"
        + " taking each sequence once",
      use: .tasks(.classification))
    try visitor.field(
      "window", &forecast.window, "T, the steps that a forecast reads",
      .within(1...1_000_000), effect: .model, use: .forecasts)
    try visitor.field(
      "horizon", &forecast.horizon, "H, the next steps that are forecast", .within(1...65_536),
      effect: .model, use: .forecasts)
    try visitor.field(
      "stride", &forecast.stride, "steps from one window of a series to the next",
      .within(1...1_000_000), use: .forecasts)
    try visitor.field(
      "season", &forecast.season,
      "S, the steps of a season: results are also compared with the mean of the same step of the"
        + " seasons in the window; 0 leaves that out",
      .within(0...1_000_000), effect: .nothing, use: .forecasts)
    try visitor.field(
      "read_times", &readTimes,
      "auto uses times if the file has them and the layers read them; off never does",
      use: .ownFileTasks)
  }
}
