// SPDX-License-Identifier: Apache-2.0

import KernelInterface
import Kernels

/// The prefix and suffix of the names of a layer's parameters, such as `rnn.` and `_l0_reverse`:
/// the layer's place in its model.
public struct LayerName: Sendable, Hashable {
  /// What precedes a parameter's own name.
  public let prefix: String
  /// What follows it.
  public let suffix: String

  public init(prefix: String, suffix: String) {
    self.prefix = prefix
    self.suffix = suffix
  }

  /// The full name of a parameter.
  public func of(_ name: String) -> String { "\(prefix)\(name)\(suffix)" }
}

/// Makes layers of one kind in any precision.
public protocol LayerFactory: Sendable {
  /// - Parameters:
  ///   - inputs: C
  ///   - hidden: H
  ///   - recomputeEvery: keep only the state of every k-th step for the backward pass, which
  ///     recomputes the rest; 0 keeps all that it needs. The bits are the same
  ///   - name: the place of the layer in its model
  ///   - type: the precision
  func layer<Scalar: KernelScalar>(
    inputs: Int, hidden: Int, recomputeEvery: Int, named name: LayerName, as type: Scalar.Type
  ) -> any SequenceLayer<Scalar>

  /// Makes a stack of this many layers as one layer; nil if each is a separate layer.
  func stacked(_ layers: Int) -> (any LayerFactory)?
}

extension LayerFactory {
  public func stacked(_ layers: Int) -> (any LayerFactory)? { nil }
}

/// The description of a layer, without its inputs and its place in the model.
public struct LayerSpecification: Sendable {
  /// Makes the layer.
  public var factory: any LayerFactory
  /// H, units of the layer.
  public var hidden: Int
  /// Keep only every k-th state and recompute the rest in the backward pass; 0 keeps all.
  public var recomputeEvery = 0

  public init(_ factory: any LayerFactory, hidden: Int) {
    self.factory = factory
    self.hidden = hidden
  }

  /// A fused layer.
  public init(
    drive: DriveParameters, body: BodyKind, orthogonal: OrthogonalSettings? = nil, hidden: Int
  ) {
    self.init(
      FusedLayerFactory(drive: drive, body: body, orthogonal: orthogonal), hidden: hidden)
  }

  /// The layer over C inputs.
  public func layer<Scalar: KernelScalar>(
    inputs: Int, named name: LayerName, as type: Scalar.Type = Scalar.self
  ) -> any SequenceLayer<Scalar> {
    factory.layer(
      inputs: inputs, hidden: hidden, recomputeEvery: recomputeEvery, named: name, as: type)
  }
}

/// Makes fused layers of a drive and a body.
public struct FusedLayerFactory: LayerFactory {
  /// The input drive and its constants.
  public var drive: DriveParameters
  /// The cell body.
  public var body: BodyKind
  /// The map and the start of an orthogonal W_hh; nil trains W_hh itself.
  public var orthogonal: OrthogonalSettings?

  public init(drive: DriveParameters, body: BodyKind, orthogonal: OrthogonalSettings? = nil) {
    self.drive = drive
    self.body = body
    self.orthogonal = orthogonal
  }

  public func layer<Scalar: KernelScalar>(
    inputs: Int, hidden: Int, recomputeEvery: Int, named name: LayerName, as type: Scalar.Type
  ) -> any SequenceLayer<Scalar> {
    var layer = FusedLayer<Scalar>(
      drive: drive, body: body, orthogonal: orthogonal, inputs: inputs, hidden: hidden, named: name)
    layer.recomputeEvery = recomputeEvery
    return layer
  }
}
