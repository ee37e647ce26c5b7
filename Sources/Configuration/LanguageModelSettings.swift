// SPDX-License-Identifier: Apache-2.0

import Models

/// The settings of a language model except its recurrent layers, and how its text is cut into
/// chunks.
public struct LanguageModelSettings: ConfigurationSection, Equatable {
  public var embeddingSize = 400
  public var tied = true
  public var chunkLength = 70
  public var randomChunks = true
  public var evaluationColumns = 10
  public var embeddingDropout = 0.1
  public var inputDropout = 0.4
  public var layerDropout = 0.25
  public var outputDropout = 0.4
  public var weightDropout = 0.5
  public var activationPenalty = 2.0
  public var temporalPenalty = 1.0

  public init() {}

  public mutating func visit(
    _ visitor: inout some ConfigurationVisitor
  ) throws(ConfigurationError) {
    try visitor.field(
      "embedding_size", &embeddingSize, "E, numbers per token", .within(1...65_536),
      effect: .model)
    try visitor.field(
      "tied", &tied,
      "whether the decoder's weight is the embedding; the last layer then has E units",
      effect: .model)
    try visitor.field(
      "chunk_length", &chunkLength,
      "T, tokens of a column per step; the base length if lengths are random",
      .within(1...100_000))
    try visitor.field(
      "random_chunks", &randomChunks,
      "whether lengths vary about chunk_length, and the learning rate with them")
    try visitor.field(
      "evaluation_columns", &evaluationColumns,
      "columns that a text is cut into for evaluation, each from a zero state",
      .within(1...1_000_000))
    try visitor.field(
      "embedding_dropout", &embeddingDropout, "share of words dropped", .within(0..<1))
    try visitor.field(
      "input_dropout", &inputDropout, "locked dropout of the first layer's input", .within(0..<1))
    try visitor.field(
      "layer_dropout", &layerDropout, "locked dropout between layers", .within(0..<1))
    try visitor.field(
      "output_dropout", &outputDropout, "locked dropout of the last layer's output",
      .within(0..<1))
    try visitor.field(
      "weight_dropout", &weightDropout, "share of the elements of W_hh dropped", .within(0..<1))
    try visitor.field(
      "activation_penalty", &activationPenalty,
      "α, weight of the mean square of the output (AR)", .atLeast(0))
    try visitor.field(
      "temporal_penalty", &temporalPenalty,
      "β, weight of the mean squared change of the output (TAR)", .atLeast(0))
  }
}

extension TrainingConfiguration {
  /// The language model over a vocabulary of V tokens: layers of H units; the last one has E if the
  /// decoder is tied.
  public func languageModel(vocabulary V: Int) -> LanguageModelSpecification {
    let (stack, settings) = (stack, languageModel)
    let layers = (0..<stack.layers).map { level in
      var layer = stack.layer
      if settings.tied, level == stack.layers - 1 { layer.hidden = settings.embeddingSize }
      return layer
    }
    var specification = LanguageModelSpecification(
      vocabulary: V, embedding: settings.embeddingSize, layers: layers, isTied: settings.tied,
      dropout: .init(
        embedding: settings.embeddingDropout, input: settings.inputDropout,
        layers: settings.layerDropout, output: settings.outputDropout,
        weights: settings.weightDropout),
      activationPenalty: settings.activationPenalty, temporalPenalty: settings.temporalPenalty)
    specification.recomputeEvery = stack.recomputeEvery
    return specification
  }

  /// Refuses settings that a language model cannot have.
  func checkLanguageModel() throws(ConfigurationError) {
    guard dataset.task == .languageModel else { return }
    if model.bidirectional {
      throw ConfigurationError(
        "model.bidirectional is true and dataset.task language_model: a layer that reads from the"
          + " end sees the token that it must predict; set model.bidirectional=false")
    }
    if model.cell.system.orthogonal != nil, languageModel.weightDropout > 0 {
      throw ConfigurationError(
        "model.cell is \(model.cell.configurationText) and language_model.weight_dropout"
          + " \(languageModel.weightDropout): a matrix with dropped elements is not orthogonal;"
          + " set language_model.weight_dropout=0")
    }
  }
}
