// SPDX-License-Identifier: Apache-2.0

import Layers
import KernelInterface

/// The description of a language model's layers.
public struct LanguageModelSpecification: Sendable {
  /// V, tokens of the vocabulary.
  public var vocabulary: Int
  /// E, the width of an embedding.
  public var embedding: Int
  /// The recurrent layers from the lowest up, each of its own kind and width.
  public var layers: [LayerSpecification]
  /// Whether the decoder's weight is the embedding; the last layer then has E units.
  public var isTied: Bool
  /// The probabilities of dropping.
  public var dropout: Dropout
  /// α, the weight of the mean square of the last layer's output after dropout (AR).
  public var activationPenalty: Double
  /// β, the weight of its mean squared change from step to step before dropout (TAR).
  public var temporalPenalty: Double

  /// Probabilities of dropping. A locked mask is the same at every step of a chunk.
  public struct Dropout: Sendable, Equatable {
    /// Whole words of the embedding.
    public var embedding = 0.0
    /// The input of the first layer, locked.
    public var input = 0.0
    /// Between layers, locked.
    public var layers = 0.0
    /// The output of the last layer, locked.
    public var output = 0.0
    /// Elements of W_hh, the same at every step of a chunk (DropConnect).
    public var weights = 0.0

    public init(
      embedding: Double = 0, input: Double = 0, layers: Double = 0, output: Double = 0,
      weights: Double = 0
    ) {
      self.embedding = embedding
      self.input = input
      self.layers = layers
      self.output = output
      self.weights = weights
    }
  }
  /// Keep only every k-th state and recompute the rest in the backward pass; 0 keeps all.
  public var recomputeEvery = 0

  public init(
    vocabulary: Int, embedding: Int, layers: [LayerSpecification], isTied: Bool,
    dropout: Dropout = Dropout(),
    activationPenalty: Double = 0, temporalPenalty: Double = 0
  ) {
    precondition(!layers.isEmpty, "a model needs a layer")
    precondition(
      !isTied || layers[layers.count - 1].hidden == embedding,
      "a tied decoder needs a last layer of \(embedding) units")
    self.vocabulary = vocabulary
    self.embedding = embedding
    self.layers = layers
    self.isTied = isTied
    self.dropout = dropout
    self.activationPenalty = activationPenalty
    self.temporalPenalty = temporalPenalty
  }
}
