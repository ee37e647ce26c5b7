// SPDX-License-Identifier: Apache-2.0

import KernelInterface
import Kernels
import Layers

/// The description of a model's recurrent layers.
public struct StackSpecification: Sendable {
  /// Each layer, in one direction.
  public var layer: LayerSpecification
  /// The number of layers.
  public var layers: Int
  /// Whether each layer reads sequences in both directions.
  public var isBidirectional: Bool

  public init(_ layer: LayerSpecification, layers: Int = 1, bidirectional: Bool = false) {
    precondition(layers > 0, "a model needs a layer")
    self.layer = layer
    self.layers = layers
    isBidirectional = bidirectional
  }

  /// Fused layers.
  public init(
    drive: DriveParameters, body: BodyKind, orthogonal: OrthogonalSettings? = nil, hidden: Int,
    layers: Int = 1, bidirectional: Bool = false
  ) {
    self.init(
      LayerSpecification(drive: drive, body: body, orthogonal: orthogonal, hidden: hidden),
      layers: layers, bidirectional: bidirectional)
  }

  /// Keep only every k-th state and recompute the rest in the backward pass; 0 keeps all.
  public var recomputeEvery: Int {
    get { layer.recomputeEvery }
    set { layer.recomputeEvery = newValue }
  }

  /// D, 1 or 2.
  var directions: Int { isBidirectional ? 2 : 1 }

  /// The layers over C inputs. Their parameters have PyTorch's names: the level after `_l`, and
  /// `_reverse` for the second direction.
  public func stack<Scalar: KernelScalar>(inputs C: Int, as: Scalar.Type) -> LayerStack<Scalar> {
    var (inputs, layer, layers) = (C, layer, layers)
    if let whole = layer.factory.stacked(layers) { (layer.factory, layers) = (whole, 1) }
    let levels = (0..<layers).map { level -> any SequenceLayer<Scalar> in
      func direction(_ suffix: String) -> any SequenceLayer<Scalar> {
        layer.layer(inputs: inputs, named: LayerName(prefix: "rnn.", suffix: "_l\(level)\(suffix)"))
      }
      let made: any SequenceLayer<Scalar> =
        isBidirectional
        ? BidirectionalLayer(
          direction(""), direction("_reverse"),
          named: LayerName(prefix: "rnn.", suffix: "_l\(level)_both"))
        : direction("")
      inputs = made.outputs
      return made
    }
    return LayerStack(levels)
  }
}
