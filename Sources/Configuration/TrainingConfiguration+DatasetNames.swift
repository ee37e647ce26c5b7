/// Whether the times of steps are used.
public enum TimesChoice: String, ConfigurationChoice {
  /// Where the file has them and the layers read them.
  case auto
  case off
}

/// Whether the inputs of a file of the user's own are normalised as they are read.
public enum NormalizeChoice: String, ConfigurationChoice {
  case off
  /// (x - mean) / deviation, each feature by those of the training part.
  case features
}

extension TrainingConfiguration.Dataset {
  /// Visits the names of datasets in a file of the user's own, and what is used of them.
  mutating func visitNames(
    _ visitor: inout some ConfigurationVisitor
  ) throws(ConfigurationError) {
    try visitor.field(
      "inputs", &inputs, "the name of the inputs in a file of your own",
      use: .namedFileTasks)
    try visitor.field(
      "targets", &targets,
      "the name of the labels or numbers in a file of your own; of masked_spikes that of the true"
        + " rates", use: .namedFileTasks)
    try visitor.field(
      "offsets", &offsets,
      "the name of where sequences of unequal lengths begin, in a file of your own; without such a"
        + " dataset all are as long",
      use: .ownFileTasks)
    try visitor.field(
      "times", &times,
      "the name of when each step happened, [N, T] or flat with offsets, in a file of your own;"
        + " without such a dataset steps are at 0, 1, 2 ...",
      use: .ownFileTasks)
    try visitor.field(
      "normalize", &normalize,
      "features normalises the inputs of a file of your own, each feature by mean and deviation over"
        + " the training part; what `prepare` made is normalised already",
      effect: .model, use: .normalizableTasks)
    try visitor.field(
      "class_weights", &classWeights,
      "what each class weighs in the loss: off, balanced (rare classes weigh as much in sum as"
        + " frequent ones), or a number for each class: 1,5,2",
      .classWeights, use: .tasks(.classification, .tagging))
    try visitor.field(
      "window", &forecast.window, "T, the steps that a forecast is made from",
      .within(1...1_000_000), effect: .model, use: .forecasts)
    try visitor.field(
      "horizon", &forecast.horizon, "H, the next steps that are forecast", .within(1...65_536),
      effect: .model, use: .forecasts)
    try visitor.field(
      "stride", &forecast.stride, "steps from one window of a series to the next",
      .within(1...1_000_000), use: .forecasts)
    try visitor.field(
      "season", &forecast.season,
      "S, the steps of a season: results stand beside the mean of the same step of the seasons in the"
        + " window too; 0 leaves that out",
      .within(0...1_000_000), effect: .nothing, use: .forecasts)
    try visitor.field(
      "read_times", &readTimes,
      "auto uses times where the file has them and the layers read them; off never does",
      use: .ownFileTasks)
  }
}
