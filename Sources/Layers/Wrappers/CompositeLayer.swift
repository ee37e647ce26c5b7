// SPDX-License-Identifier: Apache-2.0

import BLAS
import Kernels
import Tensors

/// A layer that consists of layers. Calls that concern parameters go to each part in turn.
public protocol CompositeLayer<Scalar>: SequenceLayer {
  /// From the lowest up, in the order of their parameters.
  var parts: [any SequenceLayer<Scalar>] { get }
}

extension CompositeLayer {
  public var parameters: [NamedShape] { parts.flatMap { $0.parameters } }
  public var trainingOperations: Double { parts.reduce(0) { $0 + $1.trainingOperations } }
  public var untrainedCount: Int { parts.reduce(0) { $0 + $1.untrainedCount } }
  public var readsTimes: Bool { parts.contains { $0.readsTimes } }
  public var buffers: [(name: String, tensor: Tensor<Scalar>)] { parts.flatMap { $0.buffers } }

  /// The cost of the orthogonal matrices of all parts; nil if no part has one.
  public var orthogonalWork: OrthogonalWork? {
    let works = parts.compactMap { $0.orthogonalWork }
    return works.isEmpty ? nil : works.reduce(OrthogonalWork(), +)
  }

  public func initialize(
    _ parameters: ParameterBuffer<Scalar>, gateBias: Double, streams: inout InitializationStreams
  ) {
    for layer in parts { layer.initialize(parameters, gateBias: gateBias, streams: &streams) }
  }

  public func prepare(
    _ parameters: ParameterBuffer<Scalar>, advancing: Bool
  ) throws(LAPACKError) {
    for layer in parts { try layer.prepare(parameters, advancing: advancing) }
  }

  public func revert(_ parameters: ParameterBuffer<Scalar>) {
    for layer in parts { layer.revert(parameters) }
  }

  public func finishGradients(_ gradients: ParameterBuffer<Scalar>) throws(LAPACKError) {
    for layer in parts { try layer.finishGradients(gradients) }
  }
}
