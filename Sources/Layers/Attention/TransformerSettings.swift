// SPDX-License-Identifier: Apache-2.0

import Kernels

/// The settings of a transformer encoder, except its widths: the Neural Data Transformer (Ye and
/// Pandarinath, 2021) and similar encoders.
public struct TransformerSettings: Sendable, Hashable {
  /// How a step of C numbers becomes one of D.
  public enum Embedding: String, Sendable, CaseIterable {
    /// The numbers themselves: D = C.
    case raw
    /// A row of e numbers for each count of each neuron: D = C e.
    case table
    /// A linear map: D is the layer's number of units.
    case linear
  }

  /// How the positions of steps are encoded.
  public enum Position: String, Sendable, CaseIterable {
    /// A trained row for each step.
    case learned
    /// Sines and cosines of the step's number, counted from 1 (Vaswani et al., 2017).
    case sinusoidal
  }

  /// The number of layers.
  public var layers = 1
  /// The number of attention heads, a divisor of D.
  public var heads = 1
  /// F, units of the feed-forward part.
  public var feedForward = 128
  /// How many earlier steps a step sees; 0 is all.
  public var contextBackward = 8
  /// How many later steps a step sees; a negative number is all.
  public var contextForward = 4
  /// Whether each part normalises its input (pre-norm) or the sum after it (post-norm).
  public var isPreNorm = false
  /// How the numbers of a step become a vector.
  public var embedding = Embedding.linear
  /// e of a table.
  public var embeddingSize = 2
  /// The largest count with its own row in a table.
  public var maximumCount = 10
  /// How a vector gets the position of its step.
  public var position = Position.sinusoidal
  /// The rows of learned positions, at least T.
  public var maximumSteps = 100
  /// Dropout of the first layer's input.
  public var inputDropout = 0.0
  /// Dropout in the layers: of attention weights, and of each part's output.
  public var layerDropout = 0.0
  /// Dropout of the output.
  public var outputDropout = 0.0
  /// Whether weights start as in T-Fixup (Huang et al., ICML 2020), as the authors apply it.
  public var startsAsTFixup = true

  public init() {}

  /// D, for C inputs and H units.
  public func width(inputs C: Int, hidden H: Int) -> Int {
    switch embedding {
    case .raw: C
    case .table: C * embeddingSize
    case .linear: H
    }
  }
}

/// Makes transformer encoders. All layers of an encoder are one layer of a stack.
struct TransformerFactory: LayerFactory {
  var settings: TransformerSettings

  func stacked(_ layers: Int) -> (any LayerFactory)? {
    var whole = self
    whole.settings.layers = layers
    return whole
  }

  func layer<Scalar: KernelScalar>(
    inputs: Int, hidden: Int, recomputeEvery: Int, named name: LayerName, as type: Scalar.Type
  ) -> any SequenceLayer<Scalar> {
    TransformerEncoder<Scalar>(settings, inputs: inputs, hidden: hidden, named: name)
  }
}
