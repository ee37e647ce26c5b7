// SPDX-License-Identifier: Apache-2.0

/// The settings of masking: which steps of a trial are masked in training, and what replaces them.
/// The defaults are those of the Neural Data Transformer.
public struct MaskingSettings: ConfigurationSection, Equatable {
  public var ratio = 0.25
  public var maximumSpan = 1
  public var rampStart = 0
  public var rampEnd = 0
  public var zeroRatio = 1.0
  public var randomRatio = 0.5
  public var startAtMeanRates = true
  public var evaluationFolds = 4

  public init() {}

  public mutating func visit(
    _ visitor: inout some ConfigurationVisitor
  ) throws(ConfigurationError) {
    try visitor.field(
      "ratio", &ratio, "the share of a trial's steps that are masked, over all neurons",
      .within(0.001...1))
    try visitor.field(
      "max_span", &maximumSpan, "the longest span of steps that are masked together",
      .within(1...1 << 16))
    try visitor.field(
      "ramp_start", &rampStart, "the first epoch in which spans may be longer than one step",
      .atLeast(0))
    try visitor.field(
      "ramp_end", &rampEnd, "the epoch from which every trial draws the length of its spans",
      .atLeast(0))
    try visitor.field(
      "zero_ratio", &zeroRatio, "the share of masked counts that a model sees as 0",
      .within(0...1))
    try visitor.field(
      "random_ratio", &randomRatio,
      "the share of the other masked counts that it sees as a random count; the rest are unchanged",
      .within(0...1))
    try visitor.field(
      "start_at_mean_rates", &startAtMeanRates,
      "whether the read-out starts at the neurons' mean rates; false: at one spike per bin, as the"
        + " authors")
    try visitor.field(
      "evaluation_folds", &evaluationFolds,
      "F: an evaluation hides every F-th step of a trial and scores only those, in F passes; 0"
        + " hides nothing, so a model may copy the counts that it is scored on",
      .within(0...64))
  }
}
