// SPDX-License-Identifier: Apache-2.0

import Layers

extension TransformerSettings.Embedding: ConfigurationChoice {}
extension TransformerSettings.Position: ConfigurationChoice {}

/// The keys of a transformer encoder, except the number of its layers, `model.layers`. The defaults
/// are those of the Neural Data Transformer, except for embedding and positions, which fit any
/// data.
public struct TransformerKeys: ConfigurationSection, Equatable {
  public var heads = 2
  public var feedForward = 128
  public var contextBackward = 8
  public var contextForward = 4
  public var preNorm = false
  public var embedding = TransformerSettings.Embedding.linear
  public var embeddingSize = 2
  public var maximumCount = 10
  public var position = TransformerSettings.Position.sinusoidal
  public var maximumSteps = 100
  public var inputDropout = 0.2
  public var layerDropout = 0.1
  public var rateDropout = 0.2
  public var tFixup = true

  public init() {}

  public mutating func visit(
    _ visitor: inout some ConfigurationVisitor
  ) throws(ConfigurationError) {
    try visitor.field(
      "heads", &heads, "attention heads; their number must divide the width", .within(1...1024),
      effect: .model)
    try visitor.field(
      "feed_forward", &feedForward, "F, units of the feed-forward part", .within(1...65_536),
      effect: .model)
    try visitor.field(
      "context_backward", &contextBackward, "how many earlier steps a step sees; 0 shows all",
      .within(0...1 << 24), effect: .model)
    try visitor.field(
      "context_forward", &contextForward, "how many later steps a step sees; -1 shows all",
      .within(-1...1 << 24), effect: .model)
    try visitor.field(
      "pre_norm", &preNorm,
      "normalise the input of each part (pre-norm), not the sum after it (post-norm)",
      effect: .model)
    try visitor.field(
      "embedding", &embedding,
      "how a step is embedded: raw numbers, a table of counts, or a linear map to hidden_size",
      effect: .model)
    try visitor.field(
      "embedding_size", &embeddingSize, "e, numbers for each count of each neuron (table)",
      .within(1...1024), effect: .model, use: .embedding(.table))
    try visitor.field(
      "maximum_count", &maximumCount, "the largest count with its own row (table)",
      .within(0...1 << 20), effect: .model, use: .embedding(.table))
    try visitor.field(
      "position", &position, "how positions are encoded: learned rows, or sines and cosines",
      effect: .model)
    try visitor.field(
      "maximum_steps", &maximumSteps, "rows of learned positions, at least as many as steps",
      .within(1...1 << 24), effect: .model)
    try visitor.field(
      "input_dropout", &inputDropout, "dropout of the first layer's input", .within(0..<1))
    try visitor.field(
      "layer_dropout", &layerDropout, "dropout in the layers, attention weights included",
      .within(0..<1))
    try visitor.field("rate_dropout", &rateDropout, "dropout of the output", .within(0..<1))
    try visitor.field(
      "t_fixup", &tFixup, "scale starting weights as T-Fixup, by 0.67 L^(-1/4), as the authors do")
  }

  /// The settings of a layer; `model.layers` is the number of layers.
  var settings: TransformerSettings {
    var settings = TransformerSettings()
    settings.heads = heads
    settings.feedForward = feedForward
    settings.contextBackward = contextBackward
    settings.contextForward = contextForward
    settings.isPreNorm = preNorm
    settings.embedding = embedding
    settings.embeddingSize = embeddingSize
    settings.maximumCount = maximumCount
    settings.position = position
    settings.maximumSteps = maximumSteps
    settings.inputDropout = inputDropout
    settings.layerDropout = layerDropout
    settings.outputDropout = rateDropout
    settings.startsAsTFixup = tFixup
    return settings
  }
}

extension TrainingConfiguration {
  /// Refuses settings that are invalid for an encoder with any data.
  func checkEncoder() throws(ConfigurationError) {
    guard model.cell.system.isEncoder else { return }
    let cell = "model.cell is \(model.cell.configurationText)"
    if model.bidirectional {
      throw ConfigurationError(
        "\(cell) and model.bidirectional true: an encoder sees both ways by ndt.context_forward;"
          + " set model.bidirectional=false")
    }
    if dataset.task == .languageModel || dataset.task == .nextFrame && ndt.contextForward != 0 {
      throw ConfigurationError(
        "\(cell) and dataset.task \(dataset.task.rawValue): an encoder sees steps that it is to"
          + " predict, and carries no state; choose a recurrent cell"
          + (dataset.task == .nextFrame ? ", or set ndt.context_forward=0" : ""))
    }
  }

  /// Refuses data that do not fit an encoder.
  ///
  /// - Parameters:
  ///   - features: C
  ///   - steps: T
  package func checkEncoder(features: Int, steps: Int) throws(ConfigurationError) {
    guard model.cell.system.isEncoder else { return }
    let width = ndt.settings.width(inputs: features, hidden: model.hiddenSize)
    guard width % ndt.heads == 0 else {
      throw ConfigurationError(
        "ndt.heads is \(ndt.heads), which does not divide the width \(width) of"
          + " ndt.embedding=\(ndt.embedding.rawValue); set another ndt.heads"
          + (ndt.embedding == .linear ? " or model.hidden_size" : ", or ndt.embedding=linear"))
    }
    guard ndt.position == .sinusoidal || steps <= ndt.maximumSteps else {
      throw ConfigurationError(
        "ndt.maximum_steps is \(ndt.maximumSteps), but \(dataset.file) has sequences of \(steps)"
          + " steps; set ndt.maximum_steps=\(steps) or ndt.position=sinusoidal")
    }
  }
}
